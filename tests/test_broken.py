"""Files of the results folder that do not hold what they should: named, set aside, missing, and made again."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.core.errors import UserError
from bench.core.files import to_json
from bench.core.settings import PROTOCOL
from bench.run.schedule import is_done
from bench.store import Store
from tests.analysis.conftest import cell_of, keep, key_of, place, plan_of, record
from tests.builders import cell, finished, workplace
from tests.run.test_schedule import Flat

CPU = torch.device("cpu")
KEY = key_of("one")
RECORD = {"key": KEY, "asked": {}, "cell": cell_of("one"), **record(0.5)}
FAILED = {name: RECORD[name] for name in ("key", "asked", "cell", "time", "provenance")} | {
    "status": "failed",
    "error": "no",
}
PLAN = plan_of([place("clean", "none", 3), place("em", "pgd radius=8/255", 3)])


def changed(value: Any, path: str, new: Any) -> Any:
    """The same JSON value with another at `path`, such as `result.final_accuracy`."""
    key, _, rest = path.partition(".")
    place = int(key) if isinstance(value, list) else key
    copy = value.copy()
    copy[place] = changed(value[place], rest, new) if rest else new
    return copy


def bytes_of(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (bytes_of(RECORD)[:-40], "EOF while parsing"),
        (b"", "EOF while parsing a value"),
        (b"\x00\xff\xfe", "expected value"),
        (b"{}", "no status that a record has, got {}"),
        (b"[1]", "no status that a record has, got [1]"),
        (b"[" * 100_000, "recursion limit exceeded"),
        (b'{"a":' * 100_000, "recursion limit exceeded"),
        (bytes_of(changed(RECORD, "result.final_loss", float("nan"))), "expected value"),
        (
            bytes_of(changed(RECORD, "result.final_loss", 1.5)).replace(b"1.5", b"1e999"),
            "finished.result.final_loss: input should be a finite number, got inf",
        ),
        (bytes_of({**RECORD, "notes": {"a": 1.25}}).replace(b"1.25", b"1e999"), "a number is not finite or too large"),
        (bytes_of({**RECORD, "notes": {"a": 10**25}}), "a number is not finite or too large: 1000000"),
        *(
            (bytes_of(changed(RECORD, place, 10**18)), f"finished.{place}: input should be less than or equal to")
            for place in ("result.test_images", "result.peak_step", "history.step.0", "cell.train.steps")
        ),
        (bytes_of({**RECORD, "trace": 1}), "finished.trace: input should be a valid string, got 1"),
        *(
            (bytes_of({**FAILED, part: value}), f"failed: {part} stands in the record of a cell that failed")
            for part, value in (("result", None), ("result", 5), ("history", RECORD["history"]))
        ),
        (
            bytes_of(changed(RECORD, "result.final_accuracy", 17.5)),
            "finished.result.final_accuracy: input should be less",
        ),
        (
            bytes_of(changed(RECORD, "result.final_accuracy", -0.5)),
            "finished.result.final_accuracy: input should be gr",
        ),
        (
            bytes_of(changed(RECORD, "result.final_accuracy", "high")),
            "finished.result.final_accuracy: input should be a v",
        ),
        (
            bytes_of(changed(RECORD, "result.final_accuracy", True)),
            "finished.result.final_accuracy: input should be a v",
        ),
        *(
            (bytes_of(changed(RECORD, place, number)), f"finished.{place}: must be between -1e+100 and 1e+100, but is ")
            for place, number in (
                ("cost.noise_passes", 1e308),
                ("time.train_seconds", 1e308),
                ("noise.size.mean_l2", 1e308),
                ("noise.size.psnr", -1e308),
                ("result.final_loss", 1e308),
                ("history.test_loss.0", -1e308),
            )
        ),
        (bytes_of(changed(RECORD, "history.test_accuracy", [])), "finished.history: its lists have diff"),
        (bytes_of(changed(RECORD, "history.step", [-1])), "finished.history.step.0: input should be greater"),
        (bytes_of(changed(RECORD, "history.step", [8, 4])), "finished.history: its steps do not ascend"),
        (bytes_of(changed(RECORD, "history.step", [8, 8])), "finished.history: its steps do not ascend"),
        *(
            (bytes_of(changed(RECORD, f"result.{name}", said)), f"finished: result.{name} is {said}, but {looked} by")
            for name, said, looked in (
                ("final_accuracy", 0.6, 0.5),
                ("final_loss", 0.501, 0.5),
                ("peak_accuracy", 0.5, 0.6),
                ("peak_step", 8, 4),
                ("train_accuracy", 0.8, 0.9),
            )
        ),
        (
            bytes_of(changed(RECORD, "history.validation_clean", [[1]])),
            "finished.history: it has half of a",
        ),
        (bytes_of({**RECORD, "notes": {"robust_accuracy": "high"}}), "finished.notes.robust_accuracy: input should be"),
        (
            bytes_of({**RECORD, "notes": {"robust_accuracy": 50}}),
            "finished.notes.robust_accuracy: input should be",
        ),
        (bytes_of({**RECORD, "notes": {"robust_images": 0.5}}), "finished.notes.robust_images: input should be a va"),
        (bytes_of({**RECORD, "notes": {"robust_images": 0}}), "finished.notes.robust_images: input should be great"),
        (bytes_of(changed(RECORD, "time.ended", "tomorrow")), "finished.time.ended: string should match pattern"),
        (bytes_of(changed(RECORD, "time.seconds", "long")), "finished.time.seconds: input should be a valid number"),
        (bytes_of(changed(RECORD, "provenance.jobs", "two")), "finished.provenance.jobs: input should be a valid int"),
        (bytes_of(changed(RECORD, "status", "done")), "no status that a record has, got {"),
        (bytes_of(changed(FAILED, "error", None)), "failed.error: input should be a valid string, got None"),
        (bytes_of(changed(RECORD, "cell.method.name", "two")), f"holds cell {key_of('two')} under the key {KEY}"),
        (bytes_of({**RECORD, "key": key_of("two"), "cell": cell_of("two")}), f"holds cell {key_of('two')} under"),
        (bytes_of(changed(RECORD, "cell.protocol", 0)), "finished.cell.protocol: input should be greater than"),
        (bytes_of(changed(RECORD, "cell.protocol", 17.5)), "finished.cell.protocol: input should be a valid integer"),
    ],
)
def test_a_record_that_does_not_hold_is_named_set_aside_and_missing(
    content: bytes, expected: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path)
    file, aside = store.cell_file(KEY), tmp_path / "broken" / "cells" / f"{KEY}.json"
    file.parent.mkdir()
    file.write_bytes(content)
    assert store.read(KEY) is None
    [line] = caplog.messages
    assert line.startswith(f"{file}: {expected}")
    assert line.endswith(f"; set aside as {aside}; run its grid again")
    assert len(line.splitlines()) == 1
    assert (file.exists(), aside.read_bytes()) == (False, content)
    assert store.read(KEY) is None
    assert store.find("") == []
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("content", [RECORD, FAILED, {**RECORD, "new": 1}, {**RECORD, "notes": {"a": 1}}])
def test_a_record_that_holds_is_read_whatever_else_it_says(content: dict[str, Any], tmp_path: Path) -> None:
    Store(tmp_path).write(KEY, content)
    assert Store(tmp_path).read(KEY) == content


def test_a_record_longer_than_any_run_writes_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(tmp_path).write(KEY, RECORD)
    monkeypatch.setattr("bench.checked.LONGEST", 100)
    assert Store(tmp_path).read(KEY) is None


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda file: file.symlink_to(file)])
def test_what_is_no_file_is_no_record_and_is_not_waited_for(make: Callable[[Path], None], tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.cell_file(KEY).parent.mkdir()
    make(store.cell_file(KEY))
    assert store.read(KEY) is None
    keep(store, "one", record(0.5))
    assert store.read(KEY) == RECORD


def test_nothing_that_was_set_aside_is_overwritten(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.cell_file(KEY).parent.mkdir()
    for content in ("1", "2", "3"):
        store.cell_file(KEY).write_text(content)
        assert store.read(KEY) is None
    aside = {file.name: file.read_text() for file in (tmp_path / "broken" / "cells").iterdir()}
    assert aside == {f"{KEY}.json": "1", f"{KEY}-2.json": "2", f"{KEY}-3.json": "3"}


NEWER = [changed(RECORD, "cell.protocol", PROTOCOL + 1), {"cell": {"protocol": 10**30}}, {"protocol": PROTOCOL + 1}]


@pytest.mark.parametrize("content", NEWER)
def test_a_file_of_a_newer_version_is_named_once_and_stays(
    content: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path)
    store.write_plan("g", PLAN)
    before = {store.cell_file(KEY): bytes_of(content), store.plan_file("new"): bytes_of({"protocol": PROTOCOL + 1})}
    store.cell_file(KEY).parent.mkdir()
    for file, written in before.items():
        file.write_bytes(written)
    for _ in range(2):
        assert store.read(KEY) is None
        assert store.plans() == {"g": PLAN}
    assert [line.partition(" (")[0] for line in caplog.messages] == [
        f"{file}: written by a newer version" for file in before
    ]
    assert all(line.endswith("): update the suite; left where it is") for line in caplog.messages)
    assert {file: file.read_bytes() for file in before} == before


def test_no_run_replaces_a_file_of_a_newer_version(tmp_path: Path) -> None:
    place, one = workplace(tmp_path), cell(Flat(), 0)
    file = place.store.cell_file(one.key)
    file.parent.mkdir()
    file.write_bytes(bytes_of({"cell": {"protocol": PROTOCOL + 1}}))
    expected = f"{file}: written by a newer version (protocol {PROTOCOL + 1}): update the suite"
    with pytest.raises(UserError, match=re.escape(expected)):
        finished(one, place)
    assert not is_done(one, place.store, retry_failed=True)
    assert file.read_bytes() == bytes_of({"cell": {"protocol": PROTOCOL + 1}})


def test_a_folder_that_is_only_read_stays_as_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(tmp_path, read_only=True)
    for file, content in ((store.cell_file(KEY), b"{"), (store.plan_file("bad"), b"{}")):
        file.parent.mkdir()
        file.write_bytes(content)
    for _ in range(2):
        assert (store.read(KEY), store.plans()) == (None, {})
    assert [line.endswith("; left where it is") for line in caplog.messages] == [True, True]
    assert sorted(file.name for file in tmp_path.rglob("*")) == sorted(["cells", f"{KEY}.json", "plans", "bad.json"])


def test_a_cell_whose_record_is_broken_runs_again(tmp_path: Path) -> None:
    place, one = workplace(tmp_path), cell(Flat(), 0)
    first = finished(one, place)
    assert is_done(one, place.store, retry_failed=False)
    place.store.cell_file(one.key).write_text(to_json(first)[:-30])
    assert not is_done(one, place.store, retry_failed=False)
    assert finished(one, place)["result"] == first["result"]
