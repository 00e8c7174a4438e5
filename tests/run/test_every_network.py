"""Every network trains in a run, as victim and as surrogate, and counts the same passes."""

import json
from pathlib import Path

import pytest

from tests.commands import run
from tests.core.training import NARROW

GRID = """\
title: Networks
datasets: [{{name: synthetic, size: 8, train_images: 20, test_images: 10}}]
models: [{victims}]
methods: [{{name: error_minimizing, surrogate: [{surrogates}], updates: 1, steps: 1, samples: 1, batch_size: 10}}]
attacks: [{{name: pgd, steps: 1}}]
train: {{steps: 2, batch_size: 4}}
seeds: 1
controls: false
"""


@pytest.mark.parametrize("place", ["victims", "surrogates"])
def test_every_network_trains_and_counts_the_same_passes(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"victims": "cnn", "surrogates": "cnn", place: ", ".join(NARROW)}
    (tmp_path / "scales.yaml").write_text("paper: {}\n")
    (tmp_path / "grid.yaml").write_text(GRID.format(**names))
    monkeypatch.chdir(tmp_path)
    assert run() == 0
    records = [json.loads(file.read_text()) for file in Path("results", "cells").iterdir()]
    assert {record["status"] for record in records} == {"finished"}
    asked = [record["cell"] if place == "victims" else record["cell"]["method"] for record in records]
    assert {one["model" if place == "victims" else "surrogate"] for one in asked} == set(NARROW)
    assert len({tuple(record["cost"].values()) for record in records}) == 1
