"""What a task is at: its worker writes it to a small file every second, and the run reads it there.

A file, because the workers of a cluster share nothing else with the run. No plug-in knows of it: a session counts
passes by itself, and the training loop leaves its step and its loss there.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.core.session import Session

INTERVAL = 1.0
"""Seconds between two reports."""


@dataclass(frozen=True)
class Stage:
    """How far a making of noise or a training is."""

    seconds: float
    """Since it began."""
    passes: float
    """Forward+backward passes of 128 images so far."""
    step: int = 0
    """Weight updates of the victim; 0 while noise is made."""
    steps: int = 0
    loss: float | None = None
    """Training loss at the last look at the victim."""


@contextmanager
def every(seconds: float, action: Callable[[], None]) -> Iterator[None]:
    """Do something again and again, so many seconds apart, in a thread of its own while the block runs."""
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(seconds):
            action()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def reported(session: Session, file: Path) -> Iterator[None]:
    """Write to `file`, again and again while the block runs, what the session is at. It never disturbs the block."""
    start = time.perf_counter()

    def report() -> None:
        seconds = time.perf_counter() - start
        stage = Stage(round(seconds, 1), session.passes, session.step, session.steps, session.loss)
        with suppress(OSError):
            partial = file.with_suffix(".partial")
            partial.write_text(json.dumps(asdict(stage)))
            partial.replace(file)

    try:
        with every(INTERVAL, report):
            yield
    finally:
        forget(file)


def read_stage(file: Path) -> Stage | None:
    """The last report, or None if there is none yet."""
    try:
        return Stage(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def forget(file: Path) -> None:
    """Delete what a killed worker reported."""
    with suppress(OSError):
        file.unlink(missing_ok=True)
