"""The examples of plug-ins in the documents, run as they stand there."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from attacks import ATTACKS
from bench.core import networks
from bench.core.datasets import DATASETS
from bench.core.network_names import MODELS
from measures import MEASURES
from methods import METHODS
from tests.commands import run

DATA_AND_NETWORKS = "add-data-and-networks.md"
GRID = """\
title: An example from the documents
datasets: [{data}]
models: [{model}]
methods: {methods}
attacks: {attacks}
measures: {measures}
train: {{steps: 2, batch_size: 10}}
seeds: 1
controls: false
"""


def blocks(document: str) -> list[str]:
    """The Python of a document."""
    return re.findall(r"```python\n(.*?)```", Path("docs", document).read_text(), re.DOTALL)


def example(document: str, folder: Path) -> ModuleType:
    """Import the first Python block of a document, which is a whole plug-in file."""
    file = folder / "example.py"
    file.write_text(blocks(document)[0])
    spec = importlib.util.spec_from_file_location("example", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def results(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    methods: str,
    attacks: str,
    data: str = "{name: synthetic, size: 8, train_images: 40, test_images: 20}",
    model: str = "cnn",
    measures: str = "[]",
) -> list[dict[str, Any]]:
    """Run a grid and return its records."""
    (folder / "scales.yaml").write_text("paper: {}\n")
    written = {"methods": methods, "attacks": attacks, "measures": measures, "data": data, "model": model}
    (folder / "grid.yaml").write_text(GRID.format(**written))
    monkeypatch.chdir(folder)
    assert run("--data-root", str(folder)) == 0
    return [json.loads(file.read_text()) for file in (folder / "results" / "cells").iterdir()]


def test_the_example_of_a_method_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "class_random", example("add-a-method.md", tmp_path).ClassRandom)
    records = results(tmp_path, monkeypatch, "[clean, {name: class_random, radius: [4/255, 8/255]}]", "[none]")
    assert sorted(record["noise"]["size"]["linf"] for record in records) == [0.0, round(4 / 255, 6), round(8 / 255, 6)]


def test_the_example_of_an_attack_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ATTACKS, "gaussian_noise", example("add-an-attack.md", tmp_path).GaussianNoise)
    attacks = "[none, gaussian_noise, [gaussian_noise, {name: pgd, steps: 1}]]"
    records = results(tmp_path, monkeypatch, "[clean]", attacks)
    assert len({record["history"]["train_loss"][-1] for record in records}) == 3


def test_the_example_of_a_measure_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MEASURES, "high_frequencies", example("add-a-measure.md", tmp_path).HighFrequencies)
    methods, measures = "[clean, random, sc]", "[{name: high_frequencies, above: [0.25, 1]}]"
    records = results(tmp_path, monkeypatch, methods, "[none]", measures=measures)
    found = {
        (record["cell"]["method"]["name"], record["cell"]["measure"]["above"]): record["result"]["share"]
        for record in records
        if "measure" in record["cell"]
    }
    assert [found["clean", above] for above in (0.25, 1.0)] == [None, None]
    assert [found[method, 1.0] for method in ("random", "sc")] == [0.0, 0.0]  # nothing is above the highest
    assert found["sc", 0.25] < found["random", 0.25] < 1


def test_the_examples_of_python_run_as_written() -> None:
    training, reading = blocks("python.md")
    found: dict[str, Any] = {}
    exec(training, found)
    assert 0 <= found["accuracy"] <= 1
    moved = (found["released"].images.short() - found["images"].short()).abs().max()
    assert moved == 8
    found = {}
    exec(reading, found)
    assert len(found["frame"]) > 2000
    assert found["means"].between(0, 1).all()


def test_the_examples_of_a_data_set_and_a_network_run_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DATASETS, "arrays", example(DATA_AND_NETWORKS, tmp_path).Arrays)
    own = dict(vars(networks))
    exec(blocks(DATA_AND_NETWORKS)[-1], own)
    monkeypatch.setitem(MODELS, "lenet", own["lenet"])
    arrays = {}
    for part, count in (("train", 40), ("test", 20)):
        arrays[f"{part}_images"] = np.arange(count * 768).reshape(-1, 16, 16, 3).astype("uint8")
        arrays[f"{part}_labels"] = np.arange(count) % 4
    np.savez(tmp_path / "mine.npz", **arrays)
    data = "{name: arrays, path: mine.npz, size: 16}"
    (record,) = results(tmp_path, monkeypatch, "[clean]", "[none]", data, "lenet/2")
    assert (record["cell"]["model"], record["result"]["chance"]) == ("lenet/2", 0.25)
    (tmp_path / "mine.npz").unlink()
    assert run("--data-root", str(tmp_path)) == 2
