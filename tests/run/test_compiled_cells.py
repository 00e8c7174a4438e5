"""Compiling changes nothing of a cell but its time and its provenance."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from attacks.gradient import Pgd
from bench.core import compilation
from bench.core.compilation import Calls, Modes
from bench.core.data import DatasetSettings, Synthetic
from bench.core.train import Recipe
from bench.grid.cell import Cell, Choice
from bench.run import schedule, tuning
from bench.run.experiment import run_cell
from bench.run.schedule import Task, Workplace
from bench.run.timing import KINDS
from bench.store import Record, Store
from methods.rem import Rem

# torch looks at it while it compiles and hides the warning by itself, unless warnings are errors.
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
CPU = torch.device("cpu")
SETTINGS: dict[str, Any] = {"updates": 5, "batch_size": 8, "steps": 2, "samples": 2, "adv_steps": 2}


@pytest.fixture
def cell(two_layers: str) -> Cell:
    data = Choice[DatasetSettings]("synthetic", Synthetic(size=8, train_images=20, test_images=10))
    method, attack = Choice("rem", Rem(**SETTINGS, surrogate=two_layers)), Choice("pgd", Pgd(steps=2))
    return Cell(data, "", two_layers, method, (attack,), Recipe(steps=10, batch_size=10), 0, 0)


@pytest.fixture
def paying(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which compiling always pays, from the first call."""
    compilation.forget()
    function = torch.compile(compilation.plain, backend="aot_eager", fullgraph=True, dynamic=False)
    found = {mode: {kind: {"seconds": seconds} for kind in KINDS} for mode, seconds in (("eager", 2), ("compiled", 1))}
    monkeypatch.setattr(compilation, "compiled", lambda mode: function)
    monkeypatch.setattr(tuning, "WORTH_TRYING", 0.0)
    monkeypatch.setattr(tuning, "trial", lambda *arguments: found)
    monkeypatch.setattr("bench.core.session.Calls", partial(Calls, common=0))


def run(cell: Cell, folder: Path, *, compiling: bool) -> Record:
    return run_cell(cell, Store(folder), folder, CPU, asked={}, compiling=compiling)


def test_a_compiled_cell_is_the_same_cell_with_the_same_result(
    cell: Cell, tmp_path: Path, paying: None, two_layers: str
) -> None:
    eager, compiled = (run(cell, tmp_path / str(flag), compiling=flag) for flag in (False, True))
    assert compiled["status"] == "finished", compiled.get("trace")
    assert (compiled["key"], compiled["cell"]) == (eager["key"], eager["cell"])
    assert compiled["cost"] == eager["cost"]
    for name in ("train_loss", "test_loss"):
        assert compiled["history"][name] == pytest.approx(eager["history"][name], rel=0.02)
    for record, mode in ((eager, "eager"), (compiled, "compiled")):
        assert record["provenance"]["compiled"] == {two_layers: {"training": mode, "frozen": mode}}
    noise = [Store(tmp_path / str(flag)).read_noise(cell.noise_key) for flag in (False, True)]
    assert (noise[0][0] != noise[1][0]).double().mean() < 0.05
    assert noise[1][1]["provenance"]["compiled"] == {two_layers: {"training": "compiled", "frozen": "compiled"}}


def test_the_same_cell_has_the_same_bits_again(cell: Cell, tmp_path: Path, paying: None) -> None:
    first = run(cell, tmp_path, compiling=True)
    for part in ("cells", "noise"):
        for file in (tmp_path / part).iterdir():
            file.unlink()
    assert run(cell, tmp_path, compiling=True)["history"] == first["history"]


def test_victim_and_noise_are_measured_at_their_own_batches_and_work(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def modes(tuner: tuning.KeptTuner, name: str, make: Any) -> Modes:
        asked.append((tuner.passes, tuner.shape, tuner.num_classes))
        return Modes()

    monkeypatch.setattr(tuning.KeptTuner, "modes", modes)
    run(cell, tmp_path, compiling=True)
    noise, victim = cell.method.settings.cost(20).passes, 10 * 10 / 128 * 3
    assert asked == [(noise, (8, 3, 8, 8), 10), (victim, (10, 3, 8, 8), 10)]


@pytest.mark.parametrize("compiling", [True, False])
def test_nothing_is_measured_where_a_user_forbids_it(cell: Cell, tmp_path: Path, compiling: bool) -> None:
    place = Workplace(Store(tmp_path), tmp_path, ("cpu",), jobs=1, compiling=compiling)
    for noise_only, measured in ((True, 1), (False, 2)):  # noise and victim have batches of different sizes
        schedule.work(Task(cell, 1.0, {}, noise_only=noise_only), place)
        assert len(list(tmp_path.glob("speed/*.json"))) == measured * compiling
    record = Store(tmp_path).read(cell.key)
    assert record is not None
    assert record["status"] == "finished"
