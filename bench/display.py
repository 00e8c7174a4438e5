"""What people see while a run works: on a terminal a bar for all and one for each worker, in a pipe a line a minute."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column

from bench.core.long_work import heard
from bench.run.forecast import Pace
from bench.run.progress import Stage, every, read_stage
from bench.run.schedule import Outcome, Task
from bench.run.workplace import Workplace
from bench.words import duration

SECONDS_OF_BARS = 0.5
SECONDS_OF_LINES = 60.0
"""Between two looks at what runs."""


class Line(NamedTuple):
    """What is told of a task, or of the whole run, whose key is empty."""

    key: str
    text: str
    done: float
    """A share in [0, 1]."""


@dataclass
class Watch:
    """What runs now, how far it is and how long the rest takes."""

    place: Workplace
    pace: Pace
    names: Mapping[str, str]
    """What to call each task, by its key."""
    cells: int
    """How many were asked for."""
    ended: int
    """How many of these have a result."""
    what: str = "cells"
    """What is asked for."""
    counts: Callable[[Outcome], bool] = lambda outcome: outcome.record is not None
    """Whether an outcome is one of them, and not work on the way."""
    _running: dict[str, Stage | None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, task: Task) -> None:
        """A worker has got the task."""
        with self._lock:
            self._running[task.key] = None

    def end(self, outcome: Outcome) -> None:
        """A task has ended, with a result or without."""
        with self._lock:
            self._running.pop(outcome.task.key, None)
            self.pace.end(outcome)
            self.ended += self.counts(outcome)

    def look(self) -> list[Line]:
        """A line on the whole run, and one on each task that runs."""
        with self._lock:
            for key in self._running:
                self._running[key] = read_stage(self.place.progress_file(key)) or self._running[key]
            left, each = self.pace.left(self._running)
            whole = f"{self.ended} of {self.cells} {self.what}, {duration(left)} left"
            return [Line("", whole, self.pace.done(self._running))] + [
                Line(
                    key,
                    f"{self.names[key]}: {_told(stage, each[key], self.pace.passes_of(key))}",
                    self.pace.share(key, stage),
                )
                for key, stage in self._running.items()
            ]


def _told(stage: Stage | None, left: float, forecast: float) -> str:
    """How far a task is, in words; of noise, whose steps are of many kinds, by the passes that were forecast."""
    if stage is None or not (stage.step or forecast):
        return f"{'starting' if stage is None else 'running'}, {duration(left)} left"
    of = f" of {forecast:,.0f}" if stage.passes <= forecast else ""
    done = f"step {stage.step:,} of {stage.steps:,}" if stage.step else f"{stage.passes:,.0f}{of} passes"
    loss = "" if stage.loss is None else f", loss {stage.loss:.3f}"
    return f"{done}{loss}, {duration(left)} left"


@contextmanager
def shown(watch: Watch, console: Console) -> Iterator[None]:
    """Show what runs for as long as the block does."""
    if not console.is_terminal:
        with every(SECONDS_OF_LINES, partial(_print, watch, console)):
            yield
        return
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
    )
    with Progress(*columns, console=console) as progress, every(SECONDS_OF_BARS, partial(_draw, watch, progress, {})):
        yield


@contextmanager
def awaited(console: Console) -> Iterator[None]:
    """Show how far the reading and decoding of files is for as long as the block does it: a bar, or a line a minute."""
    told = time.monotonic()

    def print_line(what: str, done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told > SECONDS_OF_LINES:
            told = time.monotonic()
            console.print(f"{datetime.now():%H:%M:%S} {what} {done:,} of {total:,}", markup=False)

    if not console.is_terminal:
        with heard(print_line):
            yield
        return
    columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True) as progress:
        bars: dict[str, TaskID] = {}

        def draw(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=total)
            progress.update(bars[what], completed=done, description=f"{what} {done:,} of {total:,}")

        with heard(draw):
            yield


def _print(watch: Watch, console: Console) -> None:
    now = f"{datetime.now():%Y-%m-%d %H:%M:%S}"
    console.print(now, "; ".join(line.text for line in watch.look()), markup=False)


def _draw(watch: Watch, progress: Progress, bars: dict[str, TaskID]) -> None:
    """Let there be a bar for the run and for each task that runs."""
    lines = watch.look()
    for key in bars.keys() - {line.key for line in lines}:
        progress.remove_task(bars.pop(key))
    for line in lines:
        if line.key not in bars:
            bars[line.key] = progress.add_task("", total=1.0)
        progress.update(bars[line.key], description=line.text, completed=line.done)
