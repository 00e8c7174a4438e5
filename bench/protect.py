"""What `protect` shows: the making of each method's noise, and where its protected images are."""

from collections import Counter
from pathlib import Path

from rich.console import Console

from bench.core.errors import UserError
from bench.display import NOISES, Watch, awaited, shown
from bench.grid.cell import Cell
from bench.grid.condition import Condition
from bench.outcomes import words_of
from bench.run import schedule
from bench.run.forecast import Pace, forecast
from bench.run.preparation import fetch
from bench.run.release import clean, write_release
from bench.run.request import Request
from bench.run.schedule import arrange
from bench.run.workers import workers
from bench.words import counted, duration


def protect(request: Request, folder: Path, console: Console) -> int:
    """Write the protected images of every method of the request into a folder of its own below `folder`.

    Controls are left out, unless --only names them. Returns the exit code. Raises UserError if a folder is there.
    """
    with awaited(console):
        chosen = _chosen(request)
    places = {key: folder / name for key, name in _names(chosen).items()}
    for place in places.values():
        if place.exists():
            raise UserError(f"--to {folder}: {place} is there already; remove it, or name another folder")
    try:
        return _protect(request, {key: cell for key, (cell, _) in chosen.items()}, places, console)
    except KeyboardInterrupt:
        console.print("stopped; noise that was made is kept: protect again to go on")
        return 130


def _protect(request: Request, cells: dict[str, Cell], places: dict[str, Path], console: Console) -> int:
    with awaited(console):
        for dataset in dict.fromkeys(cell.dataset for cell in cells.values()):
            if line := fetch(dataset, request.workplace.data_root):
                console.print(line, markup=False)
    failed = _make(request, list(cells.values()), console)
    for key, cell in cells.items():
        if key in failed:
            console.print(f"{places[key]}: not written: {failed[key]}", markup=False)
            continue
        with awaited(console):
            images, about = write_release(cell, request.workplace, places[key])
        size = about["size"]
        told = f"l-inf {255 * size['linf']:.0f}/255, l2 {size['mean_l2']:.2f} on average"
        console.print(f"{places[key]}: {counted(images, 'image')} to train on, {told}", markup=False)
    return 1 if failed else 0


def _make(request: Request, cells: list[Cell], console: Console) -> dict[str, str]:
    """Make the noise that is missing. Returns why some could not be made, by the key of the noise."""
    place, names = request.workplace, words_of(request)
    place.store.root.mkdir(parents=True, exist_ok=True)
    tasks = [task for task in arrange(cells, place, request.asked) if task.noise_only]
    if not tasks:
        return {}
    cost = forecast(tasks, place, budget=0.5)
    console.print(f"{counted(len(tasks), 'noise')} to make, about {duration(cost.seconds_in_all)}")
    called = {task.key: names[task.cell.key].of(task) for task in tasks}
    watch = Watch(place, Pace(tasks, cost.seconds, place.jobs), called, cells=len(tasks), ended=0, what=NOISES)
    failed: dict[str, str] = {}
    with workers(place) as team, shown(watch, console):
        for outcome in schedule.run(tasks, place, team, watch.begin):
            watch.end(outcome)
            if outcome.again:
                continue
            reason = outcome.error or (outcome.trouble.message if outcome.trouble else "")
            if reason:
                failed[outcome.task.key] = reason
            told = f"FAILED: {reason}" if reason else f"made in {duration(outcome.seconds)}"
            console.print(f"{called[outcome.task.key]}: {told}", markup=False)
    return failed


def _chosen(request: Request) -> dict[str, tuple[Cell, Condition]]:
    """A cell for each noise that is asked for, with the place where it stands, by the key of the noise."""
    wanted, found = {cell.key for cell in request.cells}, dict[str, tuple[Cell, Condition]]()
    for grid, _ in request.expanded:
        for place in grid.conditions:
            for cell in place.cells:
                if cell.key in wanted and (request.only or not place.is_control):
                    found.setdefault(cell.noise_key, (cell, place))
    if not found:
        raise UserError("no method of the grid protects; name a control with --only method=NAME to write its images")
    return found


def _names(chosen: dict[str, tuple[Cell, Condition]]) -> dict[str, str]:
    """What to call the folder of each noise: its method, and of several the data set and the number of the noise."""
    datasets = {place.dataset.label for _, place in chosen.values()}
    several = len({cell.noise_seed for cell, _ in chosen.values()}) > 1
    names = {
        key: clean(
            (f"{cell.dataset.name} " if len(datasets) > 1 else "")
            + place.method.title
            + (f" noise {cell.noise_seed}" if several else "")
        )
        for key, (cell, place) in chosen.items()
    }
    count = Counter(names.values())
    return {key: name if count[name] == 1 else f"{name}_{key[:8]}" for key, name in names.items()}
