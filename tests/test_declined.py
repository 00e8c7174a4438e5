"""What a plug-in declines: from the grid over the plan to the table, where it does not apply."""

from pathlib import Path

import pytest

from analysis.accuracy import sections
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
