"""What the page says of where its cells were run."""

from analysis.provenance import Fact, grouped, where_it_was_run
from tests.analysis.conftest import ORIGIN, record


def test_cells_that_were_computed_in_two_ways_are_not_compared_silently() -> None:
    here, there = record(0.5), record(0.6)
    assert "Mixed" not in [fact.name for fact in where_it_was_run([here, there])]
    there["provenance"] = ORIGIN | {"device": "NVIDIA H100", "precision": "bfloat16"}
    warning = (
        "cells are read against each other although they were computed differently: "
        "float32 on cpu (2 cells); bfloat16 on NVIDIA H100 (1 cell)"
    )
    assert Fact("Mixed", [warning]) in where_it_was_run([here, there, here])


def test_changes_are_written_one_line_for_each_plug_in() -> None:
    changes = {"model": "cnn", "train": {"steps": 800, "lr": 0.1}, "methods": {"*": {"surrogate": "cnn"}}}
    assert grouped(changes) == ["model=cnn", "train: steps=800, lr=0.1", "methods.*: surrogate=cnn"]
