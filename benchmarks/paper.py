"""Each method at the paper's scale on real CIFAR-10, begun and stopped: that it runs, and what the whole would take."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from bench.core.data import Cifar10, ImageDataset
from bench.core.device import synchronise
from bench.core.protocols import Method
from bench.core.session import Session
from benchmarks.timing import DEVICE, threads
from methods import METHODS

DATA_ROOT = Path("data")


class TimeUpError(Exception):
    """The budget is spent."""


@dataclass(frozen=True)
class Start:
    """How far a method came."""

    name: str
    seconds: float
    passes: float
    """Forward+backward passes of 128 images done."""
    total: float
    """Those of the whole method."""
    finished: bool

    @property
    def hours(self) -> float | None:
        """What the whole takes at the speed measured; None where no pass was done to measure it by."""
        if self.finished:
            return self.seconds / 3600
        return self.seconds / self.passes * self.total / 3600 if self.passes else None


def starts(budget: float, cores: int) -> Iterator[Start]:
    """Run every method at its defaults for `budget` seconds at most, on the accelerator or on so many CPU threads."""
    Cifar10().fetch(DATA_ROOT)
    data = Cifar10().load(DATA_ROOT).train.to(DEVICE)
    with threads(cores):
        for name, settings in METHODS.items():
            yield start(name, settings(), data, Session(0, DEVICE), budget)


def start(name: str, method: Method, data: ImageDataset, session: Session, budget: float) -> Start:
    """Run one method until it ends or its time is up."""
    begun = time.perf_counter()
    finished = True
    try:
        with at_most(budget):
            method.generate(data, session)
    except TimeUpError:
        finished = False
    synchronise(session.device)  # passes are counted when they are asked for
    return Start(name, time.perf_counter() - begun, session.passes, method.cost(len(data)).passes, finished)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TimeUpError inside after so many seconds, as soon as the interpreter is at work again."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeUpError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
