"""Order of work and parallel workers: which noise and which cells, in what order, and what became of each."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import joblib

from bench.core.errors import UserError
from bench.grid.cell import Cell
from bench.run.experiment import make_noise, run_cell
from bench.run.workplace import Workplace
from bench.store import Record, Store


@dataclass(frozen=True)
class Task:
    """A cell to run or, if `noise_only`, the noise of a cell to make beforehand."""

    cell: Cell
    passes: float
    """Forecast of its forward+backward passes, or of as many as take as long."""
    asked: Record
    """Which grid and scale wanted it."""
    noise_only: bool = False
    blocked: str = ""
    """Why the noise it needs cannot be made."""


@dataclass(frozen=True)
class Outcome:
    """What became of a task: the record of a cell, finished or failed, or an error if noise could not be made."""

    task: Task
    record: Record | None = None
    error: str = ""


def is_done(cell: Cell, store: Store, *, retry_failed: bool) -> bool:
    """Whether the cell needs no more work: it finished, or it failed and is not to be tried again."""
    record = store.read(cell.key)
    if record is None:
        return False
    return store.has_kept(cell.key) if record["status"] == "finished" else not retry_failed


def arrange(cells: Sequence[Cell], place: Workplace, asked: dict[str, Record]) -> list[Task]:
    """Tasks for `cells`, in an order that keeps every worker busy: what others wait for, longest first.

    One cell that needs no noise goes before all, so that a first result is there within the minute.
    """
    noise: dict[str, Task] = {}
    ready: list[Task] = []
    waiting: list[Task] = []
    for cell in cells:
        images = cell.dataset.settings.outline(place.data_root).train_images
        making = cell.method.settings.cost(images).total
        training = cell.train.cost([attack.settings for attack in cell.attacks], images).total
        task = Task(cell, training, asked[cell.key])
        if not making or place.store.has_noise(cell.noise_key):
            ready.append(task)
        else:
            noise.setdefault(cell.noise_key, replace(task, passes=making, noise_only=True))
            waiting.append(task)
    first = [min(ready, key=lambda task: task.passes)] if ready else []
    longest_first = sorted(noise.values(), key=lambda task: -task.passes)
    soonest_first = sorted(waiting, key=lambda task: noise[task.cell.noise_key].passes)
    return [*first, *longest_first, *(task for task in ready if task not in first), *soonest_first]


def run(tasks: Sequence[Task], place: Workplace) -> Iterator[Outcome]:
    """Do all tasks in parallel and yield each outcome as it comes. A failure never stops the others.

    Closing the iterator, or an interrupt, stops the workers; what they had finished is kept.
    """
    broken: dict[str, str] = {}  # noise that could not be made: its cells fail without trying again

    def next_tasks() -> Iterator[Task]:
        for task in tasks:
            yield replace(task, blocked=broken.get(task.cell.noise_key, ""))

    with connect(place.cluster):
        parallel = joblib.Parallel(place.jobs, return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1)
        for outcome in parallel(joblib.delayed(do_task)(task, place) for task in next_tasks()):
            if outcome.error:
                broken[outcome.task.cell.noise_key] = outcome.error
            yield outcome


@contextmanager
def connect(cluster: str) -> Iterator[None]:
    """Send the block's tasks to the dask cluster of this address; if there is none, to processes of this machine.

    Raises UserError if no scheduler answers at the address.
    """
    if not cluster:
        with joblib.parallel_config("loky"):
            yield
        return
    from distributed import Client

    try:
        client = Client(cluster)
    except (OSError, ValueError) as error:
        raise UserError(f"--cluster {cluster}: no dask scheduler answers there ({error})") from None
    with client, joblib.parallel_config("dask"):
        yield


def do_task(task: Task, place: Workplace) -> Outcome:
    """Do one task in a worker process, on a device of its own."""
    with place.lease() as device:
        if not task.noise_only:
            return Outcome(task, run_cell(task.cell, place, device, asked=task.asked, blocked=task.blocked))
        try:
            make_noise(task.cell, place, device)
        except Exception as error:  # whatever a plug-in raises is the result of the cells that need this noise
            return Outcome(task, error=f"{type(error).__name__}: {error}")
        return Outcome(task)
