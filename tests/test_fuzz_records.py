"""Whatever lies in the results folder, a report is written and other records are read: files damaged by hypothesis.

`pytest --hypothesis-profile=long tests/test_fuzz_records.py` tries 10,000.
"""

import json
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.report import write_report
from bench.core.settings import PROTOCOL, digest
from bench.store import Store
from bench.summary import summary
from tests.analysis.conftest import ORIGIN, keep, place, plan_of, record

LOOKS = {
    "step": [1, 2],
    "test_accuracy": [0.5, 0.5],
    "validation_clean": [[1, 2], [2, 2]],
    "validation_protected": [[1, 1], [1, 2]],
}
PLAN = plan_of(
    [
        place("clean", "none", 2),
        place("em", "none", 2),
        place("clean", "early_stopping", 2),
        place("em", "early_stopping", 2, own_controls=[{"method": "em", "attack": "none"}]),
        place("em", "pgd radius=8/255", 2, noises=2, assumes=["clean images"]),
    ]
)
FAILED = {"status": "failed", "error": "no", "time": {"ended": "2026-11-22T13:37:35"}, "provenance": ORIGIN}

odd = st.sampled_from(
    [0, -1, 17.5, 1e308, -1e308, 10**30, float("nan"), float("inf"), "", "x" * 500, "../..", " + ", "$", "clean"]
)
scalars = st.none() | st.booleans() | st.integers(-3, 30) | st.floats() | st.text(max_size=5) | odd
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)


@dataclass(frozen=True)
class Whole:
    """A store, the content of each of its files as it should be, and what was reported before."""

    store: Store
    files: dict[Path, bytes] = field(repr=False)
    reported: set[str] = field(repr=False, default_factory=set)

    def restore(self) -> None:
        for file, content in self.files.items():
            file.write_bytes(content)

    def report(self) -> None:
        """Write a report, unless one of equal plans and records was written: drawing it takes nearly all the time."""
        plans, records = self.store.plans(), {key: self.store.read(key) for key in self.store.find("")}
        state = digest(plans, records)
        if state not in self.reported:
            written = write_report(self.store)
            assert written.page.is_file()
            assert written.plans == len(plans)
            self.reported.add(state)


@pytest.fixture(scope="module")
def whole() -> Iterator[Whole]:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: None)  # no example needs to survive a power cut
        logging.getLogger("bench.checked").setLevel(logging.ERROR)  # nor to be told
        store = Store(Path(name))
        store.write_plan("g-small", PLAN)
        for condition in PLAN["conditions"]:
            for seed in range(2):
                made = record(0.5, looks=LOOKS if "early" in condition["attack"] else {})
                keep(store, f"{condition['method']}-{condition['attack']}-{seed}", made)
        keep(store, "em-none-1", FAILED)
        yield Whole(store, {file: file.read_bytes() for file in sorted(store.root.rglob("*.json"))})
        logging.getLogger("bench.checked").setLevel(logging.NOTSET)


@st.composite
def damage(draw: st.DrawFn, content: bytes) -> bytes:
    """The content of a JSON file with something else at one or two places, or as a disk leaves it."""
    how = draw(st.sampled_from(["value", "value", "value", "gone", "cut", "byte", "all"]))
    if how == "cut":
        return content[: draw(st.integers(0, len(content)))]
    if how == "byte":
        where = draw(st.integers(0, len(content) - 1))
        return content[:where] + draw(st.binary(min_size=1, max_size=3)) + content[where + 1 :]
    if how == "all":
        return draw(st.binary(max_size=20) | values.map(json.dumps).map(str.encode) | st.just(b"[" * 9999))
    value = json.loads(content)
    for _ in range(draw(st.integers(1, 2))):
        _change(draw, value, gone=how == "gone")
    return json.dumps(value).encode()


def _change(draw: st.DrawFn, value: Any, *, gone: bool) -> None:
    """Change what stands somewhere in a JSON value."""
    places = list(value) if isinstance(value, dict) else list(range(len(value)))
    if not places:
        return
    where = draw(st.sampled_from(places))
    if isinstance(value[where], dict | list) and value[where] and draw(st.integers(0, 5)):
        _change(draw, value[where], gone=gone)
    elif gone:
        del value[where]
    else:
        value[where] = draw(values)


@given(st.data())
def test_damaged_files_stop_no_report(whole: Whole, data: st.DataObject) -> None:
    whole.restore()
    damaged = data.draw(st.lists(st.sampled_from(sorted(whole.files)), min_size=1, max_size=2, unique=True))
    for file in damaged:
        file.write_bytes(data.draw(damage(whole.files[file])))
    whole.report()
    for file in whole.files:
        if file.parent.name == "cells" and file not in damaged:
            assert whole.store.read(file.stem) == json.loads(whole.files[file])
    found = {key: whole.store.read(key) for key in whole.store.find("")}
    records = [record for record in found.values() if record]
    newer = {key for key, record in found.items() if not record}
    assert all(json.loads(whole.store.cell_file(key).read_bytes())["cell"]["protocol"] > PROTOCOL for key in newer)
    assert {record["key"] for record in records} == set(whole.store.find("")) - newer
    assert all(list(summary(record, whole.store)) for record in records)
