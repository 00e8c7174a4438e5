"""Measures as cells: asked for by a grid, kept, resumed, reported, and fed with what they need."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.page.opened import Opened
from analysis.reading.records import read_results
from bench.store import Store
from bench.summary import _found
from tests.commands import bench

SEM = "{name: sem, surrogate: cnn, updates: 2, steps: 1, samples: 1, batch_size: 10, adv_steps: 1}"
GRID = f"""\
title: Measured
controls: false
datasets: [{{name: synthetic, size: 8, train_images: 40, test_images: 10}}]
models: [cnn]
methods: [{SEM}, sc]
attacks: [none]
measures: [{{name: surrogate_robustness, images: 20, turns: 1, steps: 1}}, {{name: delusiveness}}]
train: {{steps: 2, batch_size: 10, evaluate_every: 1}}
seeds: 2
noise_seeds: 2
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "scales.yaml").write_text("paper: {}\n")
    (tmp_path / "grid.yaml").write_text(GRID)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    return bench("run", "grid.yaml", "--jobs", "1", "--device", "cpu", *arguments)


def measured(folder: Path) -> dict[tuple[str, str, int], dict[str, Any]]:
    """The records of measures, by method, measure and noise."""
    records = [json.loads(file.read_text()) for file in (folder / "results" / "cells").iterdir()]
    cells = [(record["cell"], record) for record in records if "measure" in record["cell"]]
    return {(cell["method"]["name"], cell["measure"]["name"], cell["noise_seed"]): record for cell, record in cells}


def test_each_noise_is_measured_once_and_the_report_says_where_a_measure_does_not_apply(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "does not apply: surrogate_robustness of sc: makes its noise without a surrogate" in printed
    assert "on synthetic, seed 1, noise seed 1: " in printed  # of several noises a victim says which
    found = measured(folder)
    assert set(found) == {
        *(("sem", "surrogate_robustness", noise) for noise in range(2)),
        *((method, "delusiveness", noise) for method in ("sem", "sc") for noise in range(2)),
    }
    assert "model" not in found["sem", "surrogate_robustness", 0]["cell"]  # it trains nothing
    assert found["sem", "delusiveness", 0]["cell"]["train"]["steps"] == 2
    assert [found["sem", "delusiveness", noise]["cell"]["seed"] for noise in range(2)] == [0, 1]
    assert {one["provenance"]["jobs"] for one in found.values()} == {1}
    values = [found["sem", "surrogate_robustness", noise]["result"]["r_theta"] for noise in range(2)]
    assert values[0] != values[1]
    store = Store(folder / "results")
    results = read_results("grid-paper", store.plans()["grid-paper"], store)
    [robustness] = [one for one in results.measured if (one.label.startswith("sem"), one.measure[0]) == (True, "s")]
    assert [one["r_theta"] for one in robustness.found if one] == values
    assert bench("report") == 0
    assert "| does not apply† |" in (folder / "results" / "report" / "grid-paper.md").read_text()
    before = {file: file.read_bytes() for file in (folder / "results" / "cells").iterdir()}
    capsys.readouterr()
    assert run() == 0
    assert "0 to run" in capsys.readouterr().out
    assert {file: file.read_bytes() for file in (folder / "results" / "cells").iterdir()} == before


def test_what_a_measure_needs_is_kept_by_itself_also_if_the_noise_is_there_already(folder: Path) -> None:
    assert run("--only", "attack=none", "--only", "method=sem") == 0
    assert not (folder / "results" / "kept").exists()
    noises = {file.name: file.read_bytes() for file in (folder / "results" / "noise").iterdir()}
    assert run("--only", "measure=surrogate robustness, images 20, turns 1, steps 1 per turn") == 2
    assert run("--only", "measure=surrogate_robustness") == 0
    assert len(list((folder / "results" / "kept").iterdir())) == 2
    assert {file.name: file.read_bytes() for file in (folder / "results" / "noise").iterdir()} == noises


def test_a_measure_that_fails_is_a_failed_cell(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("measures.delusiveness.Delusiveness.measure", lambda *_: {"loss": float("nan")})
    assert run("--only", "measure=delusiveness", "--only", "method=sc") == 1
    assert {record["status"] for record in measured(folder).values()} == {"failed"}
    capsys.readouterr()
    assert bench("report") == 0
    assert "0 of 14 cells finished, 2 failed, 12 missing" in capsys.readouterr().out
    assert "| SC, delusiveness |" in (folder / "results" / "report" / "grid-paper.md").read_text()


def test_a_measure_opens_in_the_report_and_is_done_whatever_is_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = ("--only", "measure=delusiveness", "--only", "method=sc")
    assert run(*chosen) == 0
    store = Store(folder / "results")
    results = read_results("grid-paper", store.plans()["grid-paper"], store)
    [one] = [one for one in results.measured if (one.label.startswith("sc"), one.measure[0]) == (True, "d")]
    assert Opened([results]).places(one.keys) == "0-1"
    capsys.readouterr()
    assert run(*chosen, "--keep", "surrogates") == 0
    assert "0 to run" in capsys.readouterr().out


def test_show_says_a_measure_in_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--only", "measure=delusiveness", "--only", "method=sc") == 0
    key = next(record["key"] for record in measured(folder).values() if record["cell"]["noise_seed"] == 1)
    capsys.readouterr()
    assert bench("show", key) == 0
    printed = capsys.readouterr().out
    assert "delusiveness of SC on synthetic" in printed
    assert "noise seed 1" in printed
    assert "loss " in printed
    assert _found({"whole": 12345, "nothing": None, "part": 0.123456, "list": [1]}) == (
        "whole 12345, nothing none, part 0.1235"
    )
