"""What `protect` shows: the making of each method's noise, and where its protected images are."""

import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console

from bench.console import line_of, show_declined, show_replaced
from bench.core.errors import UserError
from bench.display import Watch, awaited, shown
from bench.grid.cell import Cell
from bench.outcomes import words_of
from bench.run import schedule
from bench.run.failures import error_line
from bench.run.forecast import Pace, forecast
from bench.run.preparation import fetch
from bench.run.release import is_release, safe_name, write_release
from bench.run.request import Request
from bench.run.schedule import Task
from bench.run.workers import workers
from bench.words import counted, duration


def protect(request: Request, folder: Path, console: Console) -> int:
    """Write the protected images of every method of the request into a folder of its own below `folder`.

    Controls are left out, unless --only names a method; so is what was written before. Returns the exit code. Raises
    UserError if something else is there already, if `folder` cannot be used, and for data that cannot be read.
    """
    with awaited(console):
        cells = _chosen(request)
    show_replaced(request, console)
    show_declined(request, console)
    if not cells:
        raise UserError("no method protects here; to write the images of a control: --only method=NAME")
    places = {key: folder / name for key, name in _names(request, cells).items()}
    for key, place in places.items():
        if is_release(place, cells[key]):
            console.print(f"{place}: there already", markup=False)
            del cells[key]
        elif place.exists():
            raise UserError(f"--to {folder}: {place} is there already; remove it, or name another folder")
    _check(folder, request, cells)
    try:
        return _protect(request, cells, places, console)
    except KeyboardInterrupt:
        console.print("stopped; what was made is kept: protect again to go on")
        return 130


def _check(folder: Path, request: Request, cells: dict[str, Cell]) -> None:
    """Raise UserError if nothing can be written to `folder`, or if it is among the images."""
    for cell in cells.values():
        path = getattr(cell.dataset.settings, "path", None)
        images = request.data_root / (path or "")
        if path is not None and folder.resolve().is_relative_to(images.resolve()):
            raise UserError(f"--to {folder}: is in {images}, among the images to protect; name a folder outside")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UserError(f"--to {folder}: cannot be written ({error.strerror})") from None


def _protect(request: Request, cells: dict[str, Cell], places: dict[str, Path], console: Console) -> int:
    """Make the noise and write the images. Returns the exit code."""
    with awaited(console):
        for dataset in dict.fromkeys(cell.dataset for cell in cells.values()):
            if line := fetch(dataset, request.workplace.data_root):
                console.print(line, markup=False)
    _make(request, cells, console)
    failed = False
    for key, cell in cells.items():
        try:
            with awaited(console):
                told = _write(request, cell, places[key])
        except (Exception, SystemExit) as error:  # one that cannot be written must not stop the others
            failed, told = True, f"not written: {error_line(error)}"
        console.print(f"{places[key]}: {told}", markup=False)
    return 1 if failed else 0


def _write(request: Request, cell: Cell, place: Path) -> str:
    """Write the images of a cell and say what they are. Raises UserError if its noise could not be made."""
    if cell.method.settings.cached and not request.workplace.store.has_noise(cell.noise_key):
        raise UserError("its noise could not be made")
    images, about = write_release(cell, request.workplace, place)
    levels, l2 = 255 * about["size"]["linf"], about["size"]["mean_l2"]
    return f"{counted(images, 'image')} to train on, l-inf {levels:.0f}/255, l2 {l2:.2f} on average"


def _make(request: Request, cells: dict[str, Cell], console: Console) -> None:
    """Make the noise that is missing, and say what became of each."""
    place, names, outline = request.workplace, words_of(request), request.workplace.outlines()
    tasks = [
        Task(cell, cell.noise_cost(outline(cell.dataset.settings)), {}, noise_only=True)
        for key, cell in cells.items()
        if cell.method.settings.cached and not place.store.has_noise(key)
    ]
    if not tasks:
        return
    place.store.root.mkdir(parents=True, exist_ok=True)
    tasks.sort(key=lambda task: -task.passes)
    cost = forecast(tasks, place, budget=0.5)
    console.print(f"{counted(len(tasks), 'noise')} to make, about {duration(cost.seconds_in_all)}")
    called = {task.key: names[task.cell.key].of(task) for task in tasks}
    pace = Pace(tasks, cost.seconds, place.jobs)
    watch = Watch(place, pace, called, len(tasks), 0, what="noises", counts=lambda outcome: not outcome.again)
    with workers(place) as team, shown(watch, console):
        for outcome in schedule.run(tasks, place, team, watch.begin):
            watch.end(outcome)
            console.print(f"{called[outcome.task.key]}: {line_of(outcome, place.store.root)}", markup=False)


def _chosen(request: Request) -> dict[str, Cell]:
    """A cell for each noise that is asked for, by the key of the noise."""
    wanted = {cell.key for cell in request.cells}
    named = any(only.startswith("method=") for only in request.only)
    found: dict[str, Cell] = {}
    for grid, _ in request.expanded:
        for place in grid.conditions:
            if named or not place.is_control:
                for cell in place.cells:
                    if cell.key in wanted:
                        found.setdefault(cell.noise_key, cell)
    return found


def _names(request: Request, cells: dict[str, Cell]) -> dict[str, str]:
    """What to call the folder of each noise: its method, of several data sets that too, and which noise of several.

    It is called the same whatever part of the grids is asked for.
    """
    called = words_of(request)
    every = {cell.noise_key: called[cell.key] for grid, _ in request.expanded for cell in grid.cells}
    several = len({one.dataset for one in every.values()}) > 1
    names = {
        key: safe_name(f"{one.dataset} {one.method}{one.noise}" if several else one.method + one.noise)
        for key, one in every.items()
    }
    count = Counter(name.casefold() for name in names.values())
    return {key: names[key] if count[names[key].casefold()] == 1 else f"{names[key]}_{key[:8]}" for key in cells}
