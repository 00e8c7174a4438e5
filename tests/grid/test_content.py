"""What a method reads from a file decides its key by its bytes, wherever the file lies."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from bench.core.content import File
from bench.core.data import ImageDataset
from bench.core.protocols import Method
from bench.core.session import Session
from bench.grid.cell import Cell
from bench.grid.expand import read_grid
from bench.grid.scale import Scale, read_scales
from methods import METHODS
from tests.grid.test_mistakes import message

GRID = """\
title: Files
datasets: [{{name: synthetic, size: 8, train_images: 20, test_images: 10}}]
models: [cnn]
methods: [{{name: recorded, file: {file}}}]
attacks: [none]
seeds: 1
controls: false
"""


class Recorded(Method):
    """Noise that somebody else made."""

    source = "test"
    file: File

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        return torch.zeros_like(data.images, dtype=torch.int8)


@pytest.fixture(autouse=True)
def _recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "recorded", Recorded)


def cell(folder: Path, file: Path) -> Cell:
    (folder / "grid.yaml").write_text(GRID.format(file=file))
    scales = read_scales(Path("grids/scales.yaml"))
    [found] = read_grid(folder / "grid.yaml", scales, "paper", Scale(), folder).cells
    return found


def test_the_same_bytes_elsewhere_are_the_same_noise_and_other_bytes_another(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.write_bytes(b"noise")
    there.write_bytes(b"noise")
    one, other = cell(tmp_path, here), cell(tmp_path, there)
    assert (one.key, one.noise_key) == (other.key, other.noise_key)
    assert str(tmp_path) not in str(one.canonical())
    there.write_bytes(b"other")
    changed = cell(tmp_path, there)
    assert one.key != changed.key
    assert one.noise_key != changed.noise_key


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "nothing"
    expected = f"grid.yaml: methods[0].file: {file}: cannot be read (No such file or directory)"
    assert message(tmp_path, GRID.format(file=file)) == expected
