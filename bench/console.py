"""What `run` shows: the forecast, the progress with its time to go, one line for each outcome, and the end."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from bench.core.device import default_jobs
from bench.core.errors import UserError
from bench.core.session import IMAGES_PER_PASS
from bench.grid.cell import Cell
from bench.run import schedule
from bench.run.advice import LONG, fitting_scale
from bench.run.forecast import forecast
from bench.run.preparation import pending, prepare
from bench.run.request import Request
from bench.run.schedule import Outcome, Task
from bench.run.workers import Workers, workers
from bench.words import command, duration


def show_declined(request: Request, console: Console) -> None:
    """Print which plug-ins decline a data set or a victim of the grids, and why."""
    conditions = [condition for grid, _ in request.expanded for condition in grid.conditions]
    for reason in dict.fromkeys(condition.declined for condition in conditions if condition.declined):
        console.print(f"does not apply: {reason}", markup=False)


def show_replaced(request: Request, console: Console) -> None:
    """Print what the scale changed of what the grids say."""
    for words in dict.fromkeys("; ".join(grid.replaced) for grid, _ in request.expanded if grid.replaced):
        console.print(f"--scale {request.scale}: {words}", markup=False)


def show_forecast(request: Request, console: Console) -> int:
    """Print every cell, which are done, and what the rest will cost. Writes nothing."""
    show_replaced(request, console)
    done, tasks = pending(request)
    place = request.workplace
    for dataset in {task.cell.dataset for task in tasks}:
        if not dataset.settings.is_there(place.data_root):
            raise UserError(
                f"{dataset.name}: not in {place.data_root}; name its folder with --data-root, "
                "or run without --dry-run, which downloads it"
            )
    cost = forecast(tasks, place)
    advise(request, cost.seconds_in_all, console)
    show_declined(request, console)
    table = Table(box=None, header_style="bold")
    table.add_column("cell", no_wrap=True)
    for heading in ("method", "attack", "model", "data set", "seed"):
        table.add_column(heading)
    for heading in ("passes", "time"):
        table.add_column(heading, justify="right")
    for cell in done:
        status = "failed" if _status(request, cell) == "failed" else "done"
        table.add_row(cell.key, *_columns(cell), "", status)
    for task, seconds in zip(tasks, cost.seconds, strict=True):
        name = f"noise {task.cell.noise_key}" if task.noise_only else task.cell.key
        columns = _columns(task.cell)
        shown = (columns[0], "", "", columns[3], "") if task.noise_only else columns
        table.add_row(name, *shown, f"{task.passes:,.0f}", duration(seconds))
    console.print(table)
    passes = sum(task.passes for task in tasks)
    console.print(
        f"{len(request.cells)} cells, {len(done)} done. "
        f"To do: {passes:,.0f} passes (forward+backward of {IMAGES_PER_PASS} images), about "
        f"{duration(cost.seconds_in_all)} with {place.jobs} worker(s) on {', '.join(place.devices)}: "
        "from a two-second measurement of this machine."
    )
    return 0


def advise(request: Request, seconds: float, console: Console) -> None:
    """Print which scale fits this machine, if the run takes so many seconds that it does not."""
    if seconds > LONG and (fit := fitting_scale(request)):
        left = duration(fit.seconds) if fit.seconds else "done already"
        console.print(f"about {duration(seconds)} on this machine; --scale {fit.scale}: {left}")


def carry_out(request: Request, console: Console) -> int:
    """Run what is to do and say what became of it. Returns the exit code."""
    done, tasks = pending(request)
    with workers(request.workplace) as team:
        prepare(request, tasks)
        _announce(request, done, tasks, console)
        counts = Counter(_status(request, cell) for cell in done)
        troubles = Counter[str]()
        try:
            for number, outcome in enumerate(_progress(tasks, request, team, console), 1):
                counts[outcome.record["status"] if outcome.record else "noise"] += 1
                if outcome.trouble:
                    troubles[outcome.trouble.message] += 1
                console.print(f"[{number}/{len(tasks)}] {_line(outcome, request.workplace.store.root)}", markup=False)
        except KeyboardInterrupt:
            finished = f"{counts['finished']} of {len(request.cells)} cells are finished and kept"
            console.print(f"stopped; {finished}: run again to go on")
            return 130
    return _conclude(request, counts, troubles, console)


def _announce(request: Request, done: list[Cell], tasks: list[Task], console: Console) -> None:
    """Print what is to do and how long it takes."""
    place = request.workplace
    seconds = forecast(tasks, place, budget=0.5).seconds_in_all if tasks else 0.0
    advise(request, seconds, console)
    show_declined(request, console)
    show_replaced(request, console)
    cores = default_jobs(list(place.devices))
    if place.jobs > cores and not place.cluster:
        console.print(f"--jobs {place.jobs}: too many for {cores} cores, of which each worker keeps one busy")
    left = f", about {duration(seconds)}" if tasks else ""
    console.print(
        f"{len(request.cells)} cells: {len(done)} done, {len(request.cells) - len(done)} to run, "
        f"{place.jobs} at a time{left}"
    )


def _conclude(request: Request, counts: Counter[str], troubles: Counter[str], console: Console) -> int:
    """Print how the run ended. Returns the exit code."""
    shown_by = command("report", request.workplace.store.root)
    console.print(f"{counts['finished']} finished, {counts['failed']} failed; {shown_by} shows them", markup=False)
    if counts["failed"]:
        console.print("failed cells are kept as results; --retry-failed tries them again")
    left = len(request.cells) - counts["finished"] - counts["failed"]
    if left:
        console.print(f"{left} not run, because something here does not work:")
        for message in troubles:
            console.print(f"  {message}", markup=False)
        console.print("mend that and run again: it goes on by itself")
    return 1 if counts["failed"] or left else 0


def _progress(tasks: list[Task], request: Request, team: Workers, console: Console) -> Iterator[Outcome]:
    """The outcomes, under a live bar if the output is a terminal."""
    with contextlib.ExitStack() as stack:
        outcomes = schedule.run(tasks, request.workplace, team)
        if not console.is_terminal:
            yield from outcomes
            return
        progress = stack.enter_context(
            Progress(
                TextColumn("passes"),
                BarColumn(),
                TaskProgressColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=console,
                speed_estimate_period=1e9,  # outcomes come minutes apart: the speed is that of the whole run
            )
        )
        bar = progress.add_task("passes", total=sum(task.passes for task in tasks))
        for outcome in outcomes:
            progress.advance(bar, outcome.task.passes)
            yield outcome


def _line(outcome: Outcome, results: Path) -> str:
    cell, record = outcome.task.cell, outcome.record
    method, attack, model, dataset, seed = _columns(cell)
    if outcome.trouble:
        return f"not run: {outcome.trouble.message}"
    if record is None:
        return f"noise of {method} on {dataset}: {outcome.error or 'made'}"
    what = f"{method} against {attack}, {model} on {dataset}, seed {seed}"
    if cell.measure:
        what = f"{attack} of {method}, {dataset}, noise seed {cell.noise_seed}"
    if record["status"] == "failed":
        return f"{what}: FAILED: {record['error']} ({command(f'show {cell.key}', results)})"
    result: dict[str, Any] = record["result"]
    if cell.measure:
        numbers = ", ".join(f"{title} {result[key]}" for key, title in cell.measure.settings.numbers.items())
        return f"{what}: {numbers} in {record['time']['measure_seconds']:.0f} s"
    final, peak, seconds = (
        100 * result["final_accuracy"],
        100 * result["peak_accuracy"],
        record["time"]["train_seconds"],
    )
    return f"{what}: {final:.1f} % (peak {peak:.1f} %) in {seconds:.0f} s"


def _columns(cell: Cell) -> tuple[str, str, str, str, str]:
    attacks = " + ".join(_short(attack.name, attack.settings) for attack in cell.attacks)
    if cell.measure:
        attacks = cell.measure.name
    return cell.method.name, attacks, cell.model, cell.dataset.name, str(cell.seed)


def _short(name: str, settings: Any) -> str:
    radius = settings.model_dump(mode="json").get("radius")
    return f"{name} {radius}" if radius else name


def _status(request: Request, cell: Cell) -> str:
    record = request.workplace.store.read(cell.key)
    return str(record["status"]) if record else "missing"
