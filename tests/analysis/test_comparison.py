"""What changed between two folders, on records whose differences can be computed by hand."""

import csv
from pathlib import Path
from typing import Any

import pytest

from analysis import change_table
from analysis.comparison import Change, compare
from bench.core.settings import digest
from bench.store import Record, Store
from tests.analysis.conftest import cell_of, keep, record, results_of, texts

Runs = dict[tuple[int, int], float | None]
"""Accuracies by noise seed and victim seed; None for a cell that failed."""
NAMES = ("old", "new")


def write(store: Store, made: Record, **cell: Any) -> None:
    """Keep a record of the cell `em` with some of its parts changed."""
    whole = cell_of("em") | cell
    key = digest(whole)
    store.write(key, made | {"key": key, "asked": {}, "cell": whole})


def folder(path: Path, runs: Runs, **cell: Any) -> Store:
    store = Store(path)
    for (noise, seed), accuracy in runs.items():
        made = record(accuracy or 0.0)
        if accuracy is None:
            made = {name: made[name] for name in ("time", "provenance")} | {"status": "failed", "error": "no"}
        write(store, made, noise_seed=noise, seed=seed, **cell)
    return store


def change(tmp_path: Path, before: Runs, after: Runs, **cell: Any) -> Change:
    """The only one between two folders, of which the second has its cells changed."""
    [found] = compare(folder(tmp_path / "old", before), folder(tmp_path / "new", after, **cell))
    return found


def test_a_difference_is_paired_by_seed_and_its_interval_is_students(tmp_path: Path) -> None:
    one = change(tmp_path, {(0, 0): 0.5, (0, 1): 0.7}, {(0, 1): 0.73, (0, 0): 0.52})
    assert one.difference is not None
    assert one.difference.mean == pytest.approx(0.025)
    assert one.difference.half_width == pytest.approx(12.7062 * 0.005, rel=1e-4)  # of 0.02 and 0.03
    assert (one.moved(2.4), one.moved(2.6)) == (True, False)
    assert len(one.different) == 2


def test_over_several_noises_the_interval_is_over_noises(tmp_path: Path) -> None:
    before = {(noise, seed): 0.5 for noise in range(2) for seed in range(2)}
    one = change(tmp_path, before, {(0, 0): 0.5, (0, 1): 0.52, (1, 0): 0.53, (1, 1): 0.53})
    assert one.difference is not None
    assert one.difference.count == 2
    assert one.difference.half_width == pytest.approx(12.7062 * 0.01, rel=1e-4)  # of 0.01 and 0.03


def test_the_same_records_have_not_moved_however_small_the_tolerance(tmp_path: Path) -> None:
    one = change(tmp_path, {(0, 0): 0.5}, {(0, 0): 0.5})
    assert not one.moved(0)
    assert not one.different
    assert change_table.tables([one], NAMES, 0) == []
    assert change_table.lines([one], NAMES, 0) == [
        "1 cell in both, 0 with another result; 0 only in old, 0 only in new",
        "0 of 1 condition moved by more than 0 points",
    ]


def test_a_difference_of_just_the_tolerance_has_not_moved(tmp_path: Path) -> None:
    one = change(tmp_path, {(0, 0): 0.1}, {(0, 0): 0.3})
    assert (one.moved(19.99), one.moved(20), one.moved(20.01)) == (True, False, False)


def test_cells_of_one_folder_only_are_told_and_have_not_moved(tmp_path: Path) -> None:
    one = change(tmp_path, {(0, 0): 0.5, (0, 7): 0.9}, {(0, 0): 0.5, (0, 1): 0.1, (0, 2): 0.2})
    assert not one.moved(0)
    [section] = change_table.tables([one], NAMES, 0)
    assert section.context == "d, m"
    assert texts(section.table) == [
        ["method", "attack", "old", "new", "difference", "cells"],
        ["1 other condition", "", *["–"] * 3, "1 only in old"],  # noqa: RUF001
        ["1 other condition", "", *["–"] * 3, "2 only in new"],  # noqa: RUF001
    ]


def test_experiments_of_one_folder_are_counted_and_stand_in_the_csv(tmp_path: Path) -> None:
    store = folder(tmp_path / "old", {(0, 0): 0.5})
    new = folder(tmp_path / "new", {(0, 0): 0.2, (0, 1): 0.4}, model="other")
    write(new, record(0.6), model="other", method={"name": "sem"})
    changes = compare(store, new)
    first, second = change_table.tables(changes, NAMES, 0)
    missing = ["–"] * 3  # noqa: RUF001
    assert texts(first.table)[1:] == [["1 other condition", "", *missing, "1 only in old"]]
    assert texts(second.table)[1:] == [["2 other conditions", "", *missing, "3 only in new"]]
    rows = list(csv.DictReader(change_table.csv(changes, 0).splitlines()))
    assert [(row["method"], row["second"], row["second_only"]) for row in rows[1:]] == [
        ("em", "0.3", "2"),
        ("sem", "0.6", "1"),
    ]


def test_an_experiment_of_both_without_a_common_cell_keeps_its_row(tmp_path: Path) -> None:
    one = change(tmp_path, {(0, 0): 0.5}, {(0, 1): 0.2})
    [section] = change_table.tables([one], NAMES, 0)
    missing = "–"  # noqa: RUF001
    assert texts(section.table)[1][2:] == ["50.0", "20.0", missing, "1 only in old, 1 only in new"]


def test_a_failure_in_one_folder_only_has_moved_whatever_the_tolerance(tmp_path: Path) -> None:
    one = change(tmp_path, {(0, 0): 0.5, (0, 1): 0.5}, {(0, 0): 0.5, (0, 1): None})
    assert one.moved(100)
    [section] = change_table.tables([one], NAMES, 100)
    assert texts(section.table)[1][-1] == "2 in both, 1 failed in new: moved"


def test_a_cell_that_failed_in_both_has_not_changed(tmp_path: Path) -> None:
    one = change(tmp_path, {(0, 0): None}, {(0, 0): None})
    assert (one.moved(0), one.different, one.difference) == (False, [], None)


def test_cells_of_another_revision_are_paired_by_seed_and_say_which(tmp_path: Path) -> None:
    one = change(tmp_path, {(0, 0): 0.5}, {(0, 0): 0.6}, method={"name": "em", "revision": 2})
    assert one.difference is not None
    assert one.difference.mean == pytest.approx(0.1)
    assert one.notes == ["method.revision none and 2"]
    [section] = change_table.tables([one], NAMES, 0)
    assert section.table.marks == {"method.revision none and 2": "†"}


def test_the_seed_of_a_data_set_is_a_setting_like_others(tmp_path: Path) -> None:
    before, after = ({"dataset": {"name": "d", "seed": seed}} for seed in (0, 1))
    old = folder(tmp_path / "old", {(0, 0): 0.5}, **before)
    changes = compare(old, folder(tmp_path / "new", {(0, 0): 0.6}, **after))
    assert [(len(one.pairs), len(one.first_only), len(one.second_only)) for one in changes] == [(0, 1, 0), (0, 0, 1)]


def test_an_old_revision_that_was_kept_is_paired_with_itself(tmp_path: Path) -> None:
    new = folder(tmp_path / "new", {(0, 0): 0.5})
    folder(tmp_path / "new", {(0, 0): 0.9}, method={"name": "em", "revision": 2})
    [one] = compare(folder(tmp_path / "old", {(0, 0): 0.5}), new)
    assert (len(one.pairs), len(one.second_only), one.different) == (1, 1, [])


def measured(folder: Path, *values: Any) -> list[Store]:
    """A folder for each value of one measure."""
    stores = [Store(folder / str(place)) for place in range(len(values))]
    for store, value in zip(stores, values, strict=True):
        made = record(0.5) | {"result": {"stability": value, "name": "x", "sure": True}}
        made["cost"] = {"measure_passes": 1.0, "noise_passes": 1.0}
        made["time"] = {"measure_seconds": 1.0, "noise_seconds": 1.0, "ended": "2026-11-22T13:37:35+00:00"}
        whole = {key: value for key, value in cell_of("em").items() if key not in ("model", "attacks", "train")}
        whole["measure"] = {"name": "stability"}
        store.write(digest(whole), made | {"key": digest(whole), "asked": {}, "cell": whole})
    return stores


@pytest.mark.parametrize("value", ["x", "0.5", [1.0], True])
def test_what_is_no_number_of_a_measure_is_missing_there(value: Any, tmp_path: Path) -> None:
    [one] = compare(*measured(tmp_path, 2.0, value))
    assert (one.quantity, one.difference, one.moved(10)) == ("stability", None, True)
    [section] = change_table.tables([one], NAMES, 10)
    assert texts(section.table)[1][1] == "stability: stability"


@pytest.mark.parametrize(("after", "moved"), [(2.19, False), (2.21, True)])
def test_a_number_of_a_measure_may_move_by_percent(after: float, moved: bool, tmp_path: Path) -> None:
    [one] = compare(*measured(tmp_path, 2.0, after))
    assert one.quantity == "stability"
    assert one.moved(10) is moved
    [section] = change_table.tables([one], NAMES, 10)
    assert texts(section.table)[1][1:3] == ["stability: stability", "2"]
    assert change_table.lines([one], NAMES, 10)[-1].endswith("moved by more than 10 points or percent")


def test_tables_use_the_words_and_the_order_of_the_plans(tmp_path: Path) -> None:
    runs = {("sem", "pgd radius=8/255"): [0.4], ("em", "none"): [0.2]}
    results_of(tmp_path / "old", runs)
    results_of(tmp_path / "new", {place: [0.3] for place in runs})
    keep(Store(tmp_path / "new"), "unplanned", record(0.7))
    changes = compare(Store(tmp_path / "old"), Store(tmp_path / "new"))
    planned, alone = change_table.tables(changes, NAMES, 0)
    assert (planned.context, alone.context) == ("d, m, scale small", "d, m")
    assert texts(alone.table)[1][0] == "1 other condition"
    assert [row[:5] for row in texts(planned.table)[1:]] == [
        ["SEM", "PGD 8/255", "40.0", "30.0", "-10.00"],
        ["EM", "none", "20.0", "30.0", "+10.00"],
    ]
    text = change_table.markdown(changes, NAMES, 0)
    assert "| SEM    | PGD 8/255 | 40.0 | 30.0 | **-10.00** | 1 in both: moved |" in text
    assert text.endswith("\n\n2 of 2 conditions moved by more than 0 points\n")
    rows = list(csv.DictReader(change_table.csv(changes, 0).splitlines()))
    assert [(row["method"], row["first"], row["second"], row["moved"]) for row in rows] == [
        ("SEM", "0.4", "0.3", "True"),
        ("EM", "0.2", "0.3", "True"),
        ("unplanned", "", "0.7", "False"),
    ]


def test_what_has_moved_stands_first(tmp_path: Path) -> None:
    results_of(tmp_path / "old", {("em", "none"): [0.5], ("sem", "none"): [0.5]})
    results_of(tmp_path / "new", {("em", "none"): [0.501], ("sem", "none"): [0.6], ("rem", "none"): [0.1]})
    [section] = change_table.tables(compare(Store(tmp_path / "old"), Store(tmp_path / "new")), NAMES, 1)
    assert [row[0] for row in texts(section.table)[1:]] == ["SEM", "EM", "1 other condition"]
    assert [row.entries[4].best for row in section.table.rows] == [True, False, False]


def test_pairs_that_were_computed_otherwise_are_told(tmp_path: Path) -> None:
    stores = [folder(tmp_path / name, {(0, 0): 0.5}) for name in NAMES]
    [key] = stores[1].find("")
    made = stores[1].read(key)
    assert made
    made["provenance"] |= {"device": "NVIDIA H200"}
    stores[1].write(key, made)
    [found] = compare(*stores)
    assert found.notes == ["computed in float32 on cpu and float32 on NVIDIA H200"]
