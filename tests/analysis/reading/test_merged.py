"""Several results folders, read as one."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.reading.commits import opened
from analysis.reading.merged import Merged
from analysis.report import write_report
from bench.core.errors import UserError
from bench.core.settings import digest
from bench.store import Record, Store
from tests.analysis.conftest import cell_of, keep, key_of, markdown_of, place, plan_of, record, results_of

FAILURE = {name: record(0.5)[name] for name in ("time", "provenance")} | {"status": "failed", "error": "no"}


def merged(folder: Path) -> Merged:
    return Merged.of([folder / "mine", folder / "theirs"])


def refusal(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        merged(folder).plans()
    return str(caught.value).replace(str(folder), "FOLDER")


def planned(folder: Path, cells: list[Record], **changes: Any) -> None:
    """A plan of one place with these cells, and a record of each."""
    store = Store(folder)
    store.write_plan("g-small", plan_of([place("em", "none", 1, cells=list(map(digest, cells)))], **changes))
    for cell in cells:
        store.write(digest(cell), record(0.5) | {"key": digest(cell), "asked": {}, "cell": cell})


def test_one_report_has_the_methods_of_both_and_is_written_to_the_first(tmp_path: Path) -> None:
    results_of(tmp_path / "mine", {("clean", "none"): [0.8, 0.9], ("em", "none"): [0.2]})
    results_of(tmp_path / "theirs", {("clean", "none"): [0.8], ("sem", "none"): [0.1]})
    summary = write_report(merged(tmp_path))
    assert summary.lines == ["g at scale small: 4 of 4 cells finished, 0 failed, 0 missing"]
    rows = [line for line in markdown_of(tmp_path / "mine").splitlines() if line.startswith("|")]
    assert [row.split(" | ")[0] for row in rows[2:5]] == ["| clean", "| EM", "| SEM"]
    assert rows[2].startswith("| clean | 85.0 ± ")
    assert not (tmp_path / "theirs" / "report").exists()


def test_the_order_of_the_folders_decides_where_the_report_goes_and_not_which_seeds_count(tmp_path: Path) -> None:
    results_of(tmp_path / "mine", {("em", "none"): [0.2]})
    results_of(tmp_path / "theirs", {("em", "none"): [0.2, 0.4, 0.6]})
    for folders in (["mine", "theirs"], ["theirs", "mine"], ["mine", "theirs", "mine"]):
        store = Merged.of([tmp_path / folder for folder in folders])
        assert write_report(store).lines == ["g at scale small: 3 of 3 cells finished, 0 failed, 0 missing"]


def test_two_results_of_one_cell_are_told_and_the_first_counts(tmp_path: Path) -> None:
    for folder, accuracy in (("mine", 0.5), ("theirs", 0.512)):
        keep(Store(tmp_path / folder), "one", record(accuracy))
        keep(Store(tmp_path / folder), "same", record(0.3))
    store = merged(tmp_path)
    assert list(store.disagreements()) == [
        f"cell {key_of('one')}: 50.00 % in {tmp_path}/mine, 51.20 % in {tmp_path}/theirs; the first counts"
    ]
    assert store.read(key_of("one"))["result"]["final_accuracy"] == 0.5


def test_a_finished_cell_counts_more_than_a_failed_one(tmp_path: Path) -> None:
    keep(Store(tmp_path / "mine"), "one", FAILURE)
    keep(Store(tmp_path / "theirs"), "one", record(0.5))
    store = merged(tmp_path)
    assert [line.partition(": ")[2].replace(str(tmp_path), "") for line in store.disagreements()] == [
        "failed in /mine, 50.00 % in /theirs; the finished one counts"
    ]
    assert store.read(key_of("one"))["status"] == "finished"


def test_many_disagreements_are_counted(tmp_path: Path) -> None:
    for number in range(8):
        keep(Store(tmp_path / "mine"), f"em-{number}", record(0.5))
        keep(Store(tmp_path / "theirs"), f"em-{number}", record(0.6))
    lines = list(merged(tmp_path).disagreements())
    assert len(lines) == 6
    assert lines[-1] == "3 cells more with two results; compare the folders to see them all"


def test_keys_and_states_are_those_of_all_folders(tmp_path: Path) -> None:
    keep(Store(tmp_path / "mine"), "one", record(0.5))
    before = merged(tmp_path).state()
    keep(Store(tmp_path / "theirs"), "two", record(0.5))
    assert merged(tmp_path).find("") == sorted([key_of("one"), key_of("two")])
    assert merged(tmp_path).state() > before
    assert merged(tmp_path).read("0" * 16) is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"protocol": 2}, "protocol 1 and 2"),
        ({"train": {"revision": 1, "steps": 900, "batch_size": 64}}, "train.steps 800 and 900"),
        ({"attacks": [{"name": "none", "revision": 2}]}, "attacks.0.revision none and 2"),
    ],
)
def test_other_cells_at_the_same_place_are_refused_with_the_setting(
    changed: Record, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.store.checked_record", lambda content, key: json.loads(content))  # knows protocol 2
    planned(tmp_path / "mine", [cell_of("em-0")])
    planned(tmp_path / "theirs", [cell_of("em-0") | changed])
    assert refusal(tmp_path) == (
        "FOLDER/theirs: plan g-small cannot be read together with that of FOLDER/mine: "
        f"em none is of other cells: {reason}"
    )


def test_places_that_share_some_cells_only_are_refused(tmp_path: Path) -> None:
    planned(tmp_path / "mine", [cell_of("em-0"), cell_of("em-1")])
    planned(tmp_path / "theirs", [cell_of("em-0"), cell_of("em-2")])
    assert refusal(tmp_path).endswith("em none is of other cells: of other seeds")


def test_other_cells_without_records_are_refused_too(tmp_path: Path) -> None:
    results_of(tmp_path / "mine", {("em", "none"): [0.5]})
    Store(tmp_path / "theirs").write_plan("g-small", plan_of([place("em", "none", 1, cells=["0" * 16])]))
    assert refusal(tmp_path).endswith("em none is of other cells, of which none is finished")


def test_scales_that_train_otherwise_are_refused_even_if_no_place_is_shared(tmp_path: Path) -> None:
    for folder, method, steps in (("mine", "em", 800), ("theirs", "sem", 900)):
        scale = {"name": "small", "about": "", "changes": {"train": {"steps": steps}, "methods": {method: {}}}}
        Store(tmp_path / folder).write_plan("g-small", plan_of([place(method, "none", 1)], scale=scale))
    assert refusal(tmp_path).endswith("with that of FOLDER/mine: its scale small has another train")


def test_scales_that_know_other_plug_ins_are_read_together(tmp_path: Path) -> None:
    for folder, method in (("mine", "em"), ("theirs", "sem")):
        scale = {"name": "small", "about": "", "changes": {"train": {"steps": 800}, "methods": {method: {}}}}
        Store(tmp_path / folder).write_plan("g-small", plan_of([place(method, "none", 1)], scale=scale))
    assert len(merged(tmp_path).plans()["g-small"]["conditions"]) == 2


@pytest.mark.parametrize(("other", "apart"), [({"radius": 2, "random_clip": 2}, False), ({"radius": 3}, True)])
def test_a_scale_that_multiplies_a_newer_setting_too_is_the_same(
    other: dict[str, int], apart: bool, tmp_path: Path
) -> None:
    for folder, method, multiply in (("mine", "em", {"radius": 2}), ("theirs", "sem", other)):
        scale = {"name": "small", "about": "", "changes": {"multiply": multiply}}
        Store(tmp_path / folder).write_plan("g-small", plan_of([place(method, "none", 1)], scale=scale))
    if apart:
        assert refusal(tmp_path).endswith("its scale small has another multiply")
    else:
        assert len(merged(tmp_path).plans()["g-small"]["conditions"]) == 2


def test_a_second_folder_is_only_read_whatever_it_holds(tmp_path: Path) -> None:
    results_of(tmp_path / "mine", {("em", "none"): [0.2]})
    theirs = Store(tmp_path / "theirs")
    keep(theirs, "one", record(0.5))
    for name, content in (("two", "{"), ("three", '{"cell": {"protocol": 99}}')):
        theirs.cell_file(key_of(name)).write_text(content)
    theirs.plan_file("bad").parent.mkdir()
    theirs.plan_file("bad").write_text("{}")
    before = {file: file.stat().st_mtime_ns for file in theirs.root.rglob("*")}
    store = merged(tmp_path)
    assert list(store.disagreements()) == []
    assert write_report(store).plans == 1
    with opened(str(theirs.root)) as one:
        assert [one.read(key) is None for key in (key_of("one"), key_of("two"))] == [False, True]
    assert {file: file.stat().st_mtime_ns for file in theirs.root.rglob("*")} == before
