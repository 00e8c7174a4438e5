"""What `run` shows: the forecast, the progress with its time to go, one line for each outcome, and the end."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.core.errors import UserError
from bench.core.session import IMAGES_PER_PASS
from bench.display import Watch, awaited, shown
from bench.grid.cell import Cell
from bench.outcomes import show_results, words_of
from bench.run import schedule
from bench.run.advice import LONG, fitting_scale
from bench.run.forecast import Pace, Rates, forecast
from bench.run.preparation import pending, prepare
from bench.run.request import Request
from bench.run.schedule import Outcome, Task
from bench.run.workers import workers
from bench.run.workplace import Workplace
from bench.words import command, counted, duration


def show_declined(request: Request, console: Console) -> None:
    """Print which plug-ins decline a data set or a victim of what is wanted of the grids, and why."""
    for reason in dict.fromkeys(request.declined):
        console.print(f"does not apply: {reason}", markup=False)


def show_replaced(request: Request, console: Console) -> None:
    """Print what the scale changed of what the grids say, and what of it stands."""
    for words in dict.fromkeys("; ".join(grid.replaced) for grid, _ in request.expanded if grid.replaced):
        console.print(f"--scale {request.scale}: {words}", markup=False)
    for grid, _ in request.expanded:
        if grid.kept and not grid.replaced:
            kept = f"replaces no {' or '.join(grid.kept)} of {grid.name}, which writes its own"
            console.print(f"--scale {request.scale}: {kept}; `scalable: true` in it would let it", markup=False)


def show_forecast(request: Request, console: Console) -> int:
    """Print every cell, which are done, and what the rest will cost. Writes nothing."""
    with awaited(console):
        done, tasks = pending(request)
    show_replaced(request, console)
    place = request.workplace
    for dataset in dict.fromkeys(task.cell.dataset for task in tasks):
        if not dataset.settings.is_there(place.data_root):
            raise UserError(
                f"{dataset.name}: not in {place.data_root}; name its folder with --data-root, "
                "or run without --dry-run, which downloads it"
            )
    rates: Rates = {}
    cost = forecast(tasks, place, rates=rates)
    advise(request, cost.seconds_in_all, console, rates)
    warn_of_jobs(place, console)
    show_declined(request, console)
    console.print(_forecast_table(request, done, tasks, cost.seconds))
    passes = sum(task.passes for task in tasks)
    todo = (
        f"To do: {passes:,.0f} passes (forward+backward of {IMAGES_PER_PASS} images), about "
        f"{duration(cost.seconds_in_all)} with {counted(place.jobs, 'worker')} on {', '.join(place.devices)}: "
        "from a two-second measurement of this machine."
    )
    console.print(f"{counted(len(request.cells), 'cell')}, {len(done)} done. {todo if tasks else 'Nothing to do.'}")
    return 0


def warn_of_jobs(place: Workplace, console: Console) -> None:
    """Print that there are more workers than cores, if so."""
    if place.jobs > place.at_once:
        cores = counted(place.at_once, "core")
        console.print(f"--jobs {place.jobs}: too many for {cores}, of which each worker keeps one busy")


def advise(request: Request, seconds: float, console: Console, rates: Rates | None = None) -> None:
    """Print which scale fits this machine, if the run takes so many seconds that it does not."""
    if seconds > LONG and (fit := fitting_scale(request, rates)):
        left = duration(fit.seconds) if fit.seconds else "done already"
        console.print(f"about {duration(seconds)} on this machine; --scale {fit.scale}: {left}")


def carry_out(request: Request, console: Console) -> int:
    """Run what is to do and say what became of it. Returns the exit code."""
    with awaited(console):
        done, tasks = pending(request)
    place, names = request.workplace, words_of(request)
    with workers(place) as team:
        with awaited(console):
            found = prepare(request, tasks)
        for line in found:
            console.print(line, markup=False)
        pace = _announce(request, done, tasks, console)
        counts = Counter(_status(request, cell) for cell in done)
        troubles = Counter[str]()
        called = {task.key: names[task.cell.key].of(task) for task in tasks}
        watch = Watch(place, pace, called, cells=len(request.cells), ended=len(done))
        try:
            with shown(watch, console):
                for outcome in schedule.run(tasks, place, team, watch.begin):
                    watch.end(outcome)
                    if outcome.record:
                        counts[outcome.record["status"]] += 1
                    if outcome.trouble:
                        troubles[outcome.trouble.message] += 1
                    number = f"[{watch.ended}/{watch.cells}] " if outcome.record else ""
                    told = line_of(outcome, place.store.root)
                    console.print(f"{number}{called[outcome.task.key]}: {told}", markup=False)
        except KeyboardInterrupt:
            finished = f"{counts['finished']} of {counted(len(request.cells), 'cell')} are finished and kept"
            console.print(f"stopped; {finished}: run again to go on")
            return 130
    return _conclude(request, counts, troubles, console)


def _announce(request: Request, done: list[Cell], tasks: list[Task], console: Console) -> Pace:
    """Print what is to do and how long it takes. Returns what will tell how long the rest takes."""
    place = request.workplace
    rates: Rates = {}
    cost = forecast(tasks, place, budget=0.5, rates=rates)
    advise(request, cost.seconds_in_all, console, rates)
    show_declined(request, console)
    show_replaced(request, console)
    warn_of_jobs(place, console)
    left = f", about {duration(cost.seconds_in_all)}" if tasks else ""
    console.print(
        f"{counted(len(request.cells), 'cell')}: {len(done)} done, {len(request.cells) - len(done)} to run, "
        f"{place.jobs} at a time{left}"
    )
    return Pace(tasks, cost.seconds, place.jobs)


def _conclude(request: Request, counts: Counter[str], troubles: Counter[str], console: Console) -> int:
    """Print what came out and how the run ended. Returns the exit code."""
    show_results(request, console)
    shown_by = command("report", request.workplace.store.root)
    console.print(f"{counts['finished']} finished, {counts['failed']} failed; {shown_by} shows them", markup=False)
    if counts["failed"]:
        console.print("failed cells are kept as results; --retry-failed tries them again")
    left = len(request.cells) - counts["finished"] - counts["failed"]
    if left:
        console.print(f"{counted(left, 'cell')} not run, because something here does not work:")
        for message in troubles:
            console.print(f"  {message}", markup=False)
        console.print("mend that and run again: it goes on by itself")
    return 1 if counts["failed"] or left else 0


def line_of(outcome: Outcome, results: Path) -> str:
    """What became of a task."""
    record = outcome.record
    if outcome.again:
        return "its worker was killed; trying again"
    if outcome.trouble:
        return f"not run: {outcome.trouble.message}"
    if record is None:
        return f"FAILED: {outcome.error}" if outcome.error else f"made in {duration(outcome.seconds)}"
    if record["status"] == "failed":
        return f"FAILED: {record['error']} ({command(f'show {outcome.task.cell.key}', results)})"
    result: dict[str, Any] = record["result"]
    if measure := outcome.task.cell.measure:
        found = {title: result[key] for key, title in measure.settings.numbers.items()}
        numbers = ", ".join(f"{title} {'none' if value is None else f'{value:.3g}'}" for title, value in found.items())
        return f"{numbers} in {duration(record['time']['measure_seconds'])}"
    final, peak = 100 * result["final_accuracy"], 100 * result["peak_accuracy"]
    return f"{final:.1f} % (peak {peak:.1f} %) in {duration(record['time']['train_seconds'])}"


def _forecast_table(request: Request, done: Sequence[Cell], tasks: Sequence[Task], seconds: Sequence[float]) -> Table:
    """Every cell and every noise to make, with passes and time."""
    names = words_of(request)
    table = Table(box=None, header_style="bold")
    table.add_column("cell", no_wrap=True)
    for heading in ("method", "attack", "victim", "data set", "seed"):
        table.add_column(heading)
    for heading in ("passes", "time"):
        table.add_column(heading, justify="right")
    for cell in done:
        status = "failed" if _status(request, cell) == "failed" else "done"
        table.add_row(cell.key, *names[cell.key].columns, "", status)
    for task, length in zip(tasks, seconds, strict=True):
        name = f"noise {task.cell.noise_key}" if task.noise_only else task.cell.key
        words = names[task.cell.key]
        columns = (words.method, "", "", words.dataset, "") if task.noise_only else words.columns
        table.add_row(name, *columns, f"{task.passes:,.0f}", duration(length))
    return table


def _status(request: Request, cell: Cell) -> str:
    record = request.workplace.store.read(cell.key)
    return str(record["status"]) if record else "missing"
