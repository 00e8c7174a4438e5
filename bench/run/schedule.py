"""Order of work: which noise and which cells, in what order, and what became of each."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import cache

from bench.core.keeper import Kind
from bench.core.plug_in import Cost
from bench.grid.cell import Cell
from bench.run.experiment import fail_cell, is_whole, make_noise, run_cell
from bench.run.failures import error_line
from bench.run.progress import forget
from bench.run.trouble import NO_RESULT, CutError, Trouble, needs, trouble_of
from bench.run.workers import Workers
from bench.run.workplace import Workplace
from bench.store import Record, Store

KILLED = "worker was killed (out of memory?)"
PAUSE = 0.2
"""Seconds between two looks at what other runs are at, while workers have nothing else to do."""


@dataclass(frozen=True)
class Task:
    """A cell to run or, if `noise_only`, the noise of a cell to make beforehand."""

    cell: Cell
    cost: Cost
    """Forecast of its work."""
    asked: Record
    """Which grid and scale wanted it."""
    noise_only: bool = False
    keep: frozenset[Kind] = frozenset()
    """What the cells that wait for this noise need of its making."""

    @property
    def passes(self) -> float:
        """Forecast of its forward+backward passes, or of as many as take as long."""
        return self.cost.total

    @property
    def key(self) -> str:
        """That of the noise or of the cell."""
        return self.cell.noise_key if self.noise_only else self.cell.key


@dataclass(frozen=True)
class Outcome:
    """What became of a task: the record of a cell, finished or failed, or what went wrong."""

    task: Task
    record: Record | None = None
    error: str = ""
    """Why the noise could not be made."""
    trouble: Trouble | None = None
    """What the place failed at: the task has no result and is still to do."""
    again: bool = False
    """Whether its worker was killed and the task is tried again."""
    seconds: float = 0.0
    """How long it took."""


def is_done(cell: Cell, store: Store, *, retry_failed: bool) -> bool:
    """Whether the cell needs no more work: it finished, or it failed and is not to be tried again."""
    record = store.read(cell.key)
    if record is None:
        return False
    return is_whole(cell, store) if record["status"] == "finished" else not retry_failed


def arrange(cells: Sequence[Cell], place: Workplace, asked: dict[str, Record]) -> list[Task]:
    """Tasks for `cells`, in an order that keeps every worker busy and that brings results early.

    One cell that needs no noise goes before all, so that a first result is there within the minute. Then comes noise,
    what takes longest first, and the cells of each as soon as it is made; last what waits for nothing.
    """
    noise: dict[str, Task] = {}
    ready: list[Task] = []
    waiting: dict[str, list[Task]] = {}
    outline = place.outlines()
    for cell in cells:
        images = outline(cell.dataset.settings)
        making = cell.noise_cost(images)
        task = Task(cell, cell.cost(images), asked[cell.key])
        if not making.total or place.keeping(cell.keeps).store.has_noise(cell.noise_key):
            ready.append(task)
        else:
            first_wish = noise.setdefault(cell.noise_key, replace(task, cost=making, noise_only=True))
            noise[cell.noise_key] = replace(first_wish, keep=first_wish.keep | cell.keeps)
            waiting.setdefault(cell.noise_key, []).append(task)
    first = [min(ready, key=lambda task: task.passes)] if ready else []
    longest_first = sorted(noise.values(), key=lambda task: -task.passes)
    lag: list[list[Task]] = [[]] * (place.jobs - 1)  # cells come when their noise is made, not while it is
    makings, their_cells = [[task] for task in longest_first], [waiting[task.key] for task in longest_first]
    pairs = zip(makings + lag, lag + their_cells, strict=True)
    staggered = [task for making, of_earlier in pairs for task in (*making, *of_earlier)]
    return [*first, *staggered, *(task for task in ready if task not in first)]


def run(
    tasks: Sequence[Task], place: Workplace, team: Workers, begin: Callable[[Task], None] = lambda task: None
) -> Iterator[Outcome]:
    """Do all tasks and yield each outcome as it comes, with as many at a time as the place has jobs.

    Nothing that a cell does stops the others. What the place fails at ends the tasks that it concerns: only the one
    that met it is yielded. `begin` is told of every task that is given to a worker.
    """
    waiting, running = deque(tasks), dict[Future[Outcome], Task]()
    unmade: dict[str, str] = {}  # noise that could not be made: its cells fail without trying again
    stopped: set[str] = set()
    killed = Counter[str]()
    while waiting or running:
        while waiting and len(running) < place.jobs:
            task = _pop_free(waiting, place.store, {one.key for one in running.values() if one.noise_only})
            if task is None:
                break
            reason = unmade.get(task.cell.noise_key)
            if needs(task.cell) & stopped:
                continue
            forget(place.progress_file(task.key))
            begin(task)
            running[team.submit(*((fail_task, task, place, reason) if reason else (do_task, task, place)))] = task
        pause = PAUSE if len(running) < place.jobs and waiting else None
        if pause and not running:
            time.sleep(pause)
        for future in wait(running, pause, FIRST_COMPLETED).done:
            task = running.pop(future)
            outcome = _outcome(future, task, place, team)
            if outcome.again:
                killed[task.key] += 1
                if killed[task.key] < team.tries:
                    waiting.appendleft(task)
                else:
                    outcome = fail_task(task, place, KILLED)
            if outcome.error:
                unmade[task.cell.noise_key] = f"its noise could not be made: {outcome.error}"
            if outcome.trouble:
                stopped.add(outcome.trouble.concerns)
            yield outcome


def _pop_free(waiting: deque[Task], store: Store, making: set[str]) -> Task | None:
    """Take out the first task that waits for nobody; None if all do.

    This run may be `making` its noise, or another run may, or be at its cell: no worker or device waits for that.
    """
    is_locked = cache(store.is_locked)
    for number, task in enumerate(waiting):
        noise = task.cell.noise_key
        if noise not in making and not is_locked(noise) and not is_locked(task.key):
            del waiting[number]
            return task
    return None


def _outcome(future: "Future[Outcome]", task: Task, place: Workplace, team: Workers) -> Outcome:
    """What became of a task that is not running any more, also if its worker is not."""
    try:
        return future.result()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        if team.was_killed(error):
            return Outcome(task, again=True)
        if team.was_cut(error):
            cut = CutError(f"--cluster {place.cluster}: the connection was cut; see that its scheduler runs")
            return Outcome(task, trouble=_trouble(cut, task, place))
        return fail_task(task, place, error_line(error))


def do_task(task: Task, place: Workplace) -> Outcome:
    """Do one task in a worker process, on a device of its own."""
    start = time.perf_counter()

    def work() -> Outcome:
        with place.lease() as device:
            if not task.noise_only:
                return Outcome(task, run_cell(task.cell, place, device, asked=task.asked))
            try:
                make_noise(task.cell, place.keeping(task.keep), device)
            except (KeyboardInterrupt, *NO_RESULT):
                raise
            except BaseException as error:  # it is the result of the cells that need this noise
                return Outcome(task, error=error_line(error))
            return Outcome(task)

    return replace(_guarded(work, task, place), seconds=time.perf_counter() - start)


def fail_task(task: Task, place: Workplace, reason: str) -> Outcome:
    """Let a task fail that cannot be done: a cell gets a record that says why."""
    if task.noise_only:
        return Outcome(task, error=reason)
    return _guarded(lambda: Outcome(task, fail_cell(task.cell, place, reason, asked=task.asked)), task, place)


def _guarded(work: Callable[[], Outcome], task: Task, place: Workplace) -> Outcome:
    """The outcome of `work`, or what the place failed at."""
    try:
        return work()
    except NO_RESULT as error:
        return Outcome(task, trouble=_trouble(error, task, place))


def _trouble(error: Exception, task: Task, place: Workplace) -> Trouble:
    return trouble_of(error, task.cell, place.store.root, noise_only=task.noise_only)
