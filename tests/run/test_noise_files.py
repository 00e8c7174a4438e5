"""A file of noise as a row of a grid: its label, its controls, its key, and what happens if it is gone or changed."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.store import Store
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
    assert "\nfile theirs/mine.npy  " in capsys.readouterr().out
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
    assert told == "mine.yaml: methods[0].file: theirs/mine.npy: cannot be read (No such file or directory)"


def test_settings_that_do_not_go_together_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.yaml").write_text(GRID.replace("mine.npy}", "mine.npy, holds: images, wise: class}"))
    assert run() == 2
    told = "mine.yaml: methods[0]: wise: class is for noise; protected images are each image's own\n"
    assert capsys.readouterr().err == told


def test_two_files_of_one_name_are_two_rows(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine").mkdir()
    np.save("mine/mine.npy", np.full((20, 3, 8, 8), -8 / 255))
    Path("mine.yaml").write_text(GRID.replace("file: theirs/mine.npy", "file: [theirs/mine.npy, mine/mine.npy]"))
    assert run() == 0
    said = capsys.readouterr().out
    assert "\nfile theirs/mine.npy  " in said
    assert "\nfile mine/mine.npy  " in said
    assert len(records()) == 4


@pytest.mark.parametrize("spoil", [lambda: save(-8), lambda: Path("theirs/mine.npy").unlink()])
@pytest.mark.parametrize("when", ["before its noise is read", "before its victim is trained"])
def test_a_file_that_is_spoilt_during_a_run_is_no_result(
    spoil: Callable[[], object], when: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was read before stays right: the victim trains on the noise that its key names."""
    generate = NoiseFile.generate

    def spoilt(*arguments: Any) -> Any:
        if when.startswith("before its noise"):
            spoil()
        made = generate(*arguments)
        if when.startswith("before its victim"):
            spoil()
        return made

    monkeypatch.setattr(NoiseFile, "generate", spoilt)
    code = run()
    told = capsys.readouterr()
    found = [record for record in records() if record["cell"]["method"]["name"] == "file"]
    if when.startswith("before its victim"):
        assert code == 0
        [record] = found
        assert record["noise"]["size"]["linf"] == pytest.approx(8 / 255, abs=1e-6)
        assert Store(Path("results")).read(record["key"]) is not None
    else:
        assert code == 1
        assert not found
        assert re.search(r"theirs/mine.npy: (changed since the grid was read|cannot be read any more)", told.out)
