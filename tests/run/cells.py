"""Cells so small that only starting a process takes time, and methods that misbehave."""

import errno
import os
import signal
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.core.data import ImageDataset
from bench.core.measures import Subject, Training
from bench.core.plug_in import Cost
from bench.core.protocols import Method
from bench.core.session import Session
from bench.grid.cell import Cell
from bench.run import schedule
from bench.run.schedule import Outcome, Task
from bench.run.workers import workers
from bench.run.workplace import Workplace
from measures.delusiveness import Delusiveness


class Flat(Method):
    """Constant noise, cheap enough to be made by the cell itself."""

    source = "test"
    cached = False
    radius: float = 0.1

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        return torch.ones_like(data.images, dtype=torch.int8)


class Deadly(Flat):
    """Kills its process the first `kills` times, which it counts in a file."""

    file: str
    kills: int

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        with Path(self.file).open("ab") as stream:
            stream.write(b"x")
        if Path(self.file).stat().st_size <= self.kills:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().generate(data, session)


class Killed(Delusiveness):
    """Kills its process the first time, when it has trained its network."""

    file: str

    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        found = super().measure(subject, training, session)
        if not Path(self.file).exists():
            Path(self.file).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return found


class FullDisk(Flat):
    """Writes to a disk that is full as long as a file is there."""

    cached = True
    file: str

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        if Path(self.file).exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().generate(data, session)

    def cost(self, images: int) -> Cost:
        return Cost(1.0)


class Unwell(Flat):
    """Fails as `kind` says, in a way that is its own fault."""

    kind: str

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        if self.kind == "exit":
            raise SystemExit(3)
        if self.kind == "half of a surrogate pair":
            raise RuntimeError("\ud800")
        session.notes["loss"] = float("nan")
        return super().generate(data, session)


def tasks(cells: list[Cell], place: Workplace) -> list[Task]:
    return schedule.arrange(cells, place, {cell.key: {} for cell in cells})


def carry_out(cells: list[Cell], place: Workplace) -> list[Outcome]:
    """Run the cells with as many workers as the place has."""
    with workers(place) as team:
        return list(schedule.run(tasks(cells, place), place, team))


def statuses(cells: list[Cell], place: Workplace) -> list[str]:
    """What is kept of each cell: its status, or `missing`."""
    records = [place.store.read(cell.key) for cell in cells]
    return [str(record["status"]) if record else "missing" for record in records]
