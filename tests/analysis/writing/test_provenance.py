"""What the page says of where its cells were run."""

from pathlib import Path

from analysis.writing.provenance import SCALE_SETS, Fact, grouped, what_was_run, where_it_was_run
from tests.analysis.conftest import ORIGIN, record, results_of


def test_what_the_scale_replaced_of_the_grid_stands_above_its_tables(tmp_path: Path) -> None:
    results = results_of(tmp_path, {("clean", "none"): [0.5]})
    assert "Replaced" not in [fact.name for fact in what_was_run(results)]
    results.plan["scale"]["replaced"] = ["resnet50 -> resnet50/8"]
    assert Fact("Replaced", ["resnet50 -> resnet50/8"]) in what_was_run(results)


def test_cells_that_were_computed_in_two_ways_are_not_compared_silently() -> None:
    here, there = record(0.5), record(0.6)
    assert "Computed in different ways" not in [fact.name for fact in where_it_was_run([here, there])]
    there["provenance"] = ORIGIN | {"device": "NVIDIA H100", "precision": "bfloat16"}
    told = ["float32 on cpu (2 cells)", "bfloat16 on NVIDIA H100 (1 cell)"]
    assert Fact("Computed in different ways", told) in where_it_was_run([here, there, here])


def test_changes_are_written_one_line_for_each_plug_in() -> None:
    changes = {"model": "cnn", "train": {"steps": 800, "lr": 0.1}, "methods": {"*": {"surrogate": "cnn"}}}
    assert grouped(changes) == ["model=cnn", "train: steps=800, lr=0.1", "methods.*: surrogate=cnn"]


def test_what_the_scale_sets_is_told_of_all_plug_ins_and_of_those_of_the_plan(tmp_path: Path) -> None:
    results = results_of(tmp_path, {("em", "pgd radius=4/255"): [0.5]})
    every = {"steps": 3}
    results.plan["scale"]["changes"] = {
        "model": "cnn",
        "datasets": {"d": every, "other": every},
        "methods": {"*": every, "em": every, "sem": every},
        "attacks": {"pgd": every, "trades": every},
        "measures": {"stability": every},
    }
    told = ["model=cnn", "datasets.d: steps=3", "methods.*: steps=3", "methods.em: steps=3", "attacks.pgd: steps=3"]
    [fact] = [fact for fact in what_was_run(results) if fact.name == SCALE_SETS]
    assert fact.statements == told
