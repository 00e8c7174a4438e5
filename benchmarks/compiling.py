"""What torch.compile and CUDA graphs bring, what they cost, and what the suite chooses."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from bench.core.compilation import Modes
from bench.core.models import Classifier
from bench.core.session import IMAGES_PER_PASS, Session
from bench.run.timing import Kind
from bench.run.tuning import Timing, Trial, fastest, trial
from benchmarks.timing import DEVICE, threads

CLASSES = 10


class Case(NamedTuple):
    """A network with a batch of square colour images."""

    model: str
    size: int
    batch: int


CASES = (Case("cnn", 16, 64), Case("resnet18", 32, 128 if DEVICE.type == "cuda" else 32))
WORDS: dict[Kind, str] = {"training": "training step", "frozen": "input gradient"}


def results() -> Iterator[tuple[Case, Trial]]:
    """The trial that the suite makes, of each case, on one CPU thread or the accelerator."""
    with threads(1):
        for case in CASES:
            yield case, trial(partial(fresh, case.model), shape(case), CLASSES, DEVICE)


def chosen(model: str, size: int, batch: int) -> Modes:
    """What the suite chooses for long work."""
    return fastest(trial(partial(fresh, model), (batch, 3, size, size), CLASSES, DEVICE))


def rows(case: Case, found: Trial) -> Iterator[tuple[str, ...]]:
    """Work, mode, milliseconds, seconds of compiling, passes until these are regained, and what is chosen."""
    choice = fastest(found)
    for kind, work in WORDS.items():
        eager = found["eager"][kind]["seconds"]
        for mode, timings in found.items():
            timing = timings[kind]
            taken = "chosen" if getattr(choice, kind) == mode else ""
            name = f"{case.model} {case.size}x{case.size}, batch {case.batch}: {work}"
            yield name, mode, *_numbers(timing, eager, case.batch, compiles=mode != "eager"), taken


def _numbers(timing: Timing, eager: float, batch: int, *, compiles: bool) -> tuple[str, str, str]:
    if "error" in timing:
        return timing["error"].partition("\n")[0][:40], "", ""
    milliseconds = f"{1000 * timing['seconds']:.1f}"
    if not compiles:
        return milliseconds, "", ""
    compiling, gain = timing["compile_seconds"], eager - timing["seconds"]
    regained = f"{compiling / gain * batch / IMAGES_PER_PASS:,.0f}" if gain > 0 else "never"
    return milliseconds, f"{compiling:.1f}", regained


def fresh(model: str) -> Classifier:
    """A network to try with."""
    return Session(0, DEVICE).build(model, num_classes=CLASSES, channels=3)


def shape(case: Case) -> tuple[int, int, int, int]:
    """That of a batch."""
    return case.batch, 3, case.size, case.size
