"""What a plug-in declines: from the grid over the plan to the table, where it does not apply."""

from pathlib import Path

import pytest

from analysis.accuracy import sections
from analysis.one_table import table_text
from analysis.reading.records import read_results
from bench.store import Store
from tests.commands import bench, run

GRID = """\
title: A method and an attack that decline
datasets: [{name: synthetic, size: 8, train_images: 40, test_images: 20}]
models: [cnn]
methods: [clean, {name: sc, patch: 3}]
attacks: [none, {name: frozen, size: 4}]
train: {steps: 2, batch_size: 10}
seeds: 2
controls: false
"""
PATCH = "sc: patch 3 does not divide an image of 8x8 pixels"
SHRINKING = "frozen: images of 8 pixels are higher than the 4 that they are to be enlarged to"


def test_what_is_declined_has_no_cells_and_the_table_says_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "grid.yaml").write_text(GRID)
    assert run() == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"does not apply: {SHRINKING} does not apply: {PATCH} 2 cells: 0 done" in printed
    store = Store(folder / "results")
    results = read_results("grid-paper", store.plans()["grid-paper"], store)
    assert [len(place["cells"]) for place in results.plan["conditions"]] == [2, 0, 0, 0]
    assert results.seeds == [2]
    table = sections(results)[0].table
    assert table is not None
    (_, measured, shrinking), (_, patch, both) = (row.entries for row in table.rows)
    assert float(measured.value) >= 0
    assert {entry.value for entry in (shrinking, patch, both)} == {"does not apply"}
    assert [shrinking.note, patch.note, both.note] == [SHRINKING, PATCH, PATCH]
    assert bench("report") == 0


def test_weights_that_a_user_can_name_are_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "grid.yaml").write_text(GRID.replace(", size: 4", ""))
    assert run() == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "does not apply: frozen: the hub has no weights for cnn" in printed
    assert "name a file: weights: FILE, or --set 'attacks.*.weights=FILE'" in printed


def test_a_run_ends_with_what_does_not_apply_beside_what_it_measured(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    em = "{name: em, surrogate: cnn, steps: 1, max_rounds: 1}"
    measures = (
        "measures: [{name: separability, folds: 2}, {name: surrogate_robustness, images: 10, turns: 1, steps: 1}]"
    )
    grid = GRID.replace("patch: 3}", f"patch: 4}}, {em}").replace(
        "attacks: [none, {name: frozen, size: 4}]", "attacks: [none]"
    )
    (folder / "grid.yaml").write_text(f"{grid}{measures}\n".replace("seeds: 2", "seeds: 1"))
    assert run("--only", "measure=separability") == 0
    assert "apply" not in capsys.readouterr().out.rpartition("measures of the noise")[2]
    assert run("--only", "method=sc", "--only", "method=em") == 0
    table = capsys.readouterr().out.rpartition("measures of the noise")[2]
    assert table.count("apply") == 2  # R_theta and the other number of SC


def test_the_report_of_what_measures_found_says_nothing_of_bold_accuracies(folder: Path) -> None:
    (folder / "grid.yaml").write_text(
        GRID.replace("patch: 3", "patch: 4") + "measures: [{name: separability, folds: 2}]\n"
    )
    assert run("--only", "measure=separability") == 0
    store = Store(folder / "results")
    assert "Bold is" not in table_text(store, "grid-paper", "markdown")
    assert "Bold is" in table_text(store, "grid-paper", "markdown", study="accuracy")
