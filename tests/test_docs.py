"""The examples in the documents are run as they stand there."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from attacks import ATTACKS
from methods import METHODS
from tests.test_cli import run

GRID = """\
title: An example from the documents
datasets: [{{name: synthetic, size: 8, train_images: 40, test_images: 20}}]
models: [cnn]
methods: {methods}
attacks: {attacks}
train: {{steps: 2, batch_size: 10}}
seeds: 1
controls: false
"""


def example(document: str, folder: Path) -> ModuleType:
    """Import the first Python block of a document, which is a whole plug-in file."""
    text = Path("docs", document).read_text()
    block = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert block is not None
    file = folder / "example.py"
    file.write_text(block[1])
    spec = importlib.util.spec_from_file_location("example", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def results(folder: Path, monkeypatch: pytest.MonkeyPatch, methods: str, attacks: str) -> list[dict[str, Any]]:
    """Run a grid and return its records."""
    (folder / "scales.yaml").write_text("paper: {}\n")
    (folder / "grid.yaml").write_text(GRID.format(methods=methods, attacks=attacks))
    monkeypatch.chdir(folder)
    assert run() == 0
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
