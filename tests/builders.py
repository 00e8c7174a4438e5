"""Cells of a few images and two updates, and what becomes of them."""

from pathlib import Path
from typing import Any

import torch

from attacks.plain import Plain
from bench.core.content import HASH
from bench.core.datasets import DatasetSettings, Synthetic
from bench.core.protocols import Attack, Method
from bench.core.settings import Settings
from bench.core.train import Recipe
from bench.grid.cell import Cell, Choice
from bench.run.experiment import run_cell
from bench.run.workplace import Workplace
from bench.store import Record, Store
from methods.clean import Clean

CPU = torch.device("cpu")
FEW = Synthetic(size=8, train_images=20, test_images=10)


def cell(
    method: Method | None = None,
    seed: int = 0,
    *,
    attacks: tuple[Attack, ...] = (),
    data: DatasetSettings = FEW,
    model: str = "cnn",
    **train: Any,
) -> Cell:
    """Clean images, no attack, and two steps of ten images, unless said otherwise."""
    return Cell(
        dataset=_choice(data),
        fingerprint="",
        model=model,
        method=_choice(method or Clean()),
        attacks=tuple(map(_choice, attacks or (Plain(),))),
        train=Recipe(**({"steps": 2, "batch_size": 10} | train)),
        seed=seed,
        noise_seed=0,
    )


def workplace(folder: Path) -> Workplace:
    """One worker on the CPU, with its results and data in `folder`."""
    return Workplace(Store(folder), folder, ("cpu",), jobs=1)


def finished(cell: Cell, place: Workplace | Path, device: torch.device = CPU) -> Record:
    """The record of a cell that is run now, at a place or in a folder, and does not fail."""
    record = run_cell(cell, workplace(place) if isinstance(place, Path) else place, device, asked={})
    assert record["status"] == "finished", record["trace"]
    return record


def about_noise(key: str) -> Record:
    """What the store wants to know of a noise that nobody made."""
    return {"key": key, "passes": 3, "seconds": 0.5, "size": {"linf": 0.5, "mean_l2": 1.0}}


def _choice(settings: Any) -> Choice[Any]:
    return Choice(type(settings).__name__.lower(), settings)


def plain(kind: type[Settings]) -> Settings:
    """Settings at their defaults; a file that must be named is known by its content alone."""
    return kind.model_validate({"file": HASH + "0" * 16} if "file" in kind.model_fields else {})
