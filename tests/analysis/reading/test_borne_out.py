"""Plans that were edited: what their records deny is named, left out, and missing from every table."""

from pathlib import Path
from typing import Any

import pytest

from analysis.reading.records import read_results
from analysis.reading.results import Results
from bench.core.settings import digest
from bench.store import Record, Store
from tests.analysis.conftest import cell_of, keep, key_of, names_of, place, plan_of, record

PGD = "pgd radius=8/255"
MEASURE = {"name": "some", "steps": 10}
MEASURED = {
    **{"dataset": "d", "model": "m", "method": "em", "measure": "some", "title": "some"},
    **{"numbers": {"x": "X"}, "settings": MEASURE, "control": False, "declined": ""},
}
REPAIR = "; left out; delete its record and run its grid again"
ADVICE = "; left out; run its grid again, which writes the plan anew and keeps finished cells"


def read(folder: Path, places: list[Record], **changes: Any) -> Results:
    return read_results("g-small", plan_of(places, **changes), Store(folder))


def keep_measure(folder: Path, measure: Record, result: Record, noise_seed: int = 0) -> str:
    """The key of a record of a measure of EM's noise, which is written."""
    cell = {name: part for name, part in cell_of("em-0").items() if name not in ("attacks", "train", "model")}
    cell |= {"measure": measure, "noise_seed": noise_seed}
    made = record(0.5)
    made |= {"result": result, "cost": {"measure_passes": 1.0, "noise_passes": 1.0}}
    made["time"] = made["time"] | {"measure_seconds": 1.0}
    del made["history"]
    key = digest(cell)
    Store(folder).write(key, {"key": key, "asked": {}, "cell": cell, **made})
    return key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two noises of EM with two victims each, and one victim of clean images, plain and against PGD."""
    for attack in ("none", PGD):
        for name in (*names_of("em", attack, 4, 2), f"clean-{attack}-0"):
            keep(Store(tmp_path), name, record(0.2 if name.startswith("em") else 0.5))
    return tmp_path


def test_records_bear_out_a_plan_that_says_what_they_are(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    results = read(folder, [place("clean", "none", 1), place("em", PGD, 4, noises=2)])
    assert (results.count("missing"), caplog.messages) == (0, [])


@pytest.mark.parametrize(
    ("changes", "denied"),
    [
        ({"method": "clean"}, "the method em"),
        ({"attack": "none"}, "the attack pgd 8/255"),
        ({"attack": "pgd radius=4/255"}, "the attack pgd 8/255"),
        ({"attack": f"jpeg + {PGD}"}, "the attack pgd 8/255"),
        ({"dataset": "cifar10"}, "the dataset d"),
        ({"model": "resnet18"}, "the model m"),
    ],
)
def test_cells_of_another_place_are_named_and_left_out(
    changes: Record, denied: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    edited = place("em", PGD, 4, noises=2) | changes
    results = read(folder, [place("clean", "none", 1), edited])
    assert [one.finished for one in results.conditions] == [1, 0]
    assert results.count("missing") == 4
    where = ", ".join(edited[part] for part in ("dataset", "model", "method", "attack"))
    first = edited["cells"][0]
    assert caplog.messages == [f"plan g-small: {where}: cell {first} has {denied}{ADVICE}"]


@pytest.mark.parametrize(
    ("noises", "order"), [(1, [0, 1, 2, 3]), (4, [0, 1, 2, 3]), (2, [0, 2, 1, 3]), (2, [1, 0, 2, 3])]
)
def test_runs_are_of_the_noises_and_victims_that_a_plan_says_and_in_its_order(
    noises: int, order: list[int], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known = place("em", "none", 4, noises=2)
    results = read(folder, [known | {"noises": noises, "cells": [known["cells"][run] for run in order]}])
    assert results.count("missing") == 4
    told = f"its cells are not of {noises} noises with {4 // noises} victims each, in order"
    assert caplog.messages == [f"plan g-small: d, m, em, none: {told}{ADVICE}"]


@pytest.mark.parametrize("label", ["a + b", "run lr=2 x", "lr=2 + none"])
def test_values_may_look_like_labels(label: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    name = f"d path={label}"
    keep(Store(tmp_path), "em-none-0", record(0.2), dataset={"name": "d", "path": label})
    whole = place("em", "none", 1) | {"cells": [key_of("em-none-0", dataset={"name": "d", "path": label})]}
    results = read(tmp_path, [whole | {"dataset": name}])
    assert (results.count("missing"), caplog.messages) == (0, [])


def test_a_setting_may_be_replaced_by_what_decides_the_result(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    known = place("em", PGD, 4, noises=2)
    [condition] = read(folder, [known | {"attack": "pgd radius=auto", "replaced": ["radius"]}]).conditions
    assert (condition.finished, caplog.messages) == (4, [])


def test_an_attack_on_the_release_may_spare_clean_images(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    spared = place("clean", f"partial + {PGD}", 1) | {"cells": [key_of(f"clean-{PGD}-0")]}
    plain = place("clean", "partial", 1) | {"cells": [key_of("clean-none-0")]}
    later = place("clean", f"early_stopping + partial + {PGD}", 1) | {"cells": [key_of(f"clean-{PGD}-0")]}
    results = read(folder, [spared, plain, later])
    assert (results.count("missing"), caplog.messages) == (0, [])


@pytest.mark.parametrize(
    ("measure", "result", "denied"),
    [
        (MEASURE, {"x": 0.5}, ""),
        (MEASURE, {"x": None, "y": "more"}, ""),
        (MEASURE, {"y": 0.5}, "no number for x"),
        (MEASURE, {"x": "high"}, "no number for x"),
        (MEASURE, {"x": "0.5"}, "no number for x"),
        (MEASURE, {"x": True}, "no number for x"),
        (MEASURE | {"steps": 20}, {"x": 0.5}, "steps 20 of its measure"),
        (MEASURE | {"name": "other"}, {"x": 0.5}, "name other of its measure"),
    ],
)
def test_a_measure_is_the_one_that_a_plan_says_and_has_its_numbers(
    measure: Record, result: Record, denied: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = keep_measure(tmp_path, measure, result)
    results = read(tmp_path, [place("em", "none", 1)], measures=[MEASURED | {"cells": [key]}])
    assert [one["status"] for one in results.measure_cells] == ["missing" if denied else "finished"]
    advice = REPAIR if denied.startswith("no number") else ADVICE
    wanted = [f"plan g-small: d, m, em, some: cell {key} has {denied}{advice}"] if denied else []
    assert caplog.messages == wanted


def test_a_measure_without_its_number_leaves_the_other_noises(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found: list[Record] = [{"x": 0.5}, {"x": "high"}, {"x": 0.7}]
    keys = [keep_measure(tmp_path, MEASURE, result, noise) for noise, result in enumerate(found)]
    [one] = read(tmp_path, [place("em", "none", 1)], measures=[MEASURED | {"cells": keys}]).measured
    assert one.found == [{"x": 0.5}, None, {"x": 0.7}]
    assert caplog.messages == [f"plan g-small: d, m, em, some: cell {keys[1]} has no number for x{REPAIR}"]
