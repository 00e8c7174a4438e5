"""A file of noise as a row of a grid: its label, its controls, its key, and what happens if it is gone or changed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from methods.from_file import NoiseFile
from tests.commands import bench

GRID = """\
title: Files
datasets: [{name: synthetic, size: 8, train_images: 20, test_images: 10}]
models: [cnn]
methods: [{name: file, file: theirs/mine.npy}]
attacks: [none]
train: {steps: 2, batch_size: 4}
seeds: 1
"""


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(GRID)
    Path("scales.yaml").write_text("paper: {}\n")
    Path("theirs").mkdir()
    save(8)


def save(levels: int) -> None:
    np.save("theirs/mine.npy", np.full((20, 3, 8, 8), levels / 255))


def run() -> int:
    return bench("run", "mine.yaml", "--jobs", "1", "--device", "cpu")


def records() -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in Path("results/cells").glob("*.json")]


def test_it_is_a_row_beside_its_controls(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    assert "\nfile mine.npy  " in capsys.readouterr().out
    found = {record["cell"]["method"]["name"]: record for record in records()}
    assert found.keys() == {"clean", "random", "file"}
    assert found["random"]["cell"]["method"]["radius"] == "8/255"
    assert found["file"]["noise"]["size"]["linf"] == pytest.approx(8 / 255, abs=1e-6)
    assert "theirs" not in json.dumps(found["file"]["cell"])


def test_another_content_is_another_cell_and_the_same_one_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    Path("theirs/mine.npy").touch()
    assert run() == 0
    assert len(records()) == 3
    save(-8)
    assert run() == 0
    assert len(records()) == 4


def test_a_file_that_is_gone_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("theirs/mine.npy").unlink()
    assert run() == 2
    told = capsys.readouterr().err.strip()
    assert told == "mine.yaml: methods: file: theirs/mine.npy: cannot be read (No such file or directory)"


def test_a_file_that_changes_during_a_run_leaves_no_record(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    generate = NoiseFile.generate

    def changing(*arguments: Any) -> Any:
        save(-8)
        return generate(*arguments)

    monkeypatch.setattr(NoiseFile, "generate", changing)
    assert run() != 0
    told = capsys.readouterr()
    assert "changed since the run began; run again" in told.out + told.err
    assert "file" not in {record["cell"]["method"]["name"] for record in records()}
    monkeypatch.undo()
