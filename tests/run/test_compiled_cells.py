"""Compiling changes nothing of a cell but its time, its last bits and its provenance."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from attacks.gradient import Pgd
from bench.core import compilation
from bench.core.compilation import CompiledCall, call
from bench.grid.cell import Cell
from bench.store import Record, Store
from methods.rem import Rem
from tests import builders
from tests.builders import finished

# torch looks at it while it compiles and hides the warning by itself, unless warnings are errors.
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
CPU = torch.device("cpu")
CALLS: list[int] = []
"""The images of every call of a compiled network."""
SETTINGS: dict[str, Any] = {"updates": 2, "batch_size": 8, "steps": 2, "samples": 2, "adv_steps": 2}


@pytest.fixture
def cell(two_layers: str, monkeypatch: pytest.MonkeyPatch) -> Cell:
    """A cell whose networks, when they are compiled, are so from the first call, without a C++ compiler."""
    compiled = torch.compile(call, backend="aot_eager", dynamic=False)

    def counted(body: nn.Module, pixels: Tensor) -> Tensor:
        CALLS.append(len(pixels))
        return compiled(body, pixels)

    monkeypatch.setattr(compilation, "compile_call", lambda: counted)
    monkeypatch.setattr("bench.core.session.CompiledCall", partial(CompiledCall, common=0))
    return builders.cell(Rem(**SETTINGS, surrogate=two_layers), attacks=(Pgd(steps=2),), model=two_layers)


def run(cell: Cell, folder: Path, *, compiling: bool) -> Record:
    CALLS.clear()
    return finished(cell, replace(builders.workplace(folder), compiling=compiling))


def test_a_compiled_cell_is_the_same_cell_with_the_same_result(cell: Cell, tmp_path: Path) -> None:
    eager = run(cell, tmp_path / "False", compiling=False)
    assert not CALLS
    compiled = run(cell, tmp_path / "True", compiling=True)
    assert compiled["status"] == "finished", compiled.get("trace")
    assert (compiled["key"], compiled["cell"]) == (eager["key"], eager["cell"])
    assert compiled["cost"] == eager["cost"]
    assert set(CALLS) == {8, 10, 16}  # batches of the surrogate, of the victim, and of two samples at once
    assert sum(CALLS) >= 128 * sum(compiled["cost"].values())
    for name in ("train_loss", "test_loss"):
        assert compiled["history"][name] == pytest.approx(eager["history"][name], rel=0.02)
    noise = [Store(tmp_path / str(flag)).read_noise(cell.noise_key) for flag in (False, True)]
    assert (noise[0][0] != noise[1][0]).double().mean() < 0.05
    for about in (compiled, noise[1][1]):
        assert about["provenance"]["compiled"] is True
    assert eager["provenance"]["compiled"] is False


def test_the_same_cell_has_the_same_bits_again(cell: Cell, tmp_path: Path) -> None:
    first, again = (run(cell, tmp_path / name, compiling=True) for name in ("first", "again"))
    assert first["history"] == again["history"]
