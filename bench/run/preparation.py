"""What a run does before its first cell: see what is left to do, fetch the data, write the plans."""

from http.client import HTTPException
from pathlib import Path

from bench.core.datasets import DatasetSettings
from bench.core.errors import UserError, one_line
from bench.grid.cell import Cell, Choice
from bench.run.request import Request
from bench.run.schedule import Task, arrange, is_done


def pending(request: Request) -> tuple[list[Cell], list[Task]]:
    """The cells that are done already, and the tasks still to do."""
    place = request.workplace
    done = [cell for cell in request.cells if is_done(cell, place.store, retry_failed=request.retry_failed)]
    keys = {cell.key for cell in done}
    todo = [cell for cell in request.cells if cell.key not in keys]
    return done, arrange(todo, place, request.asked)


def prepare(request: Request, tasks: list[Task]) -> list[str]:
    """Fetch the data of `tasks` and write the plans. Raises UserError for folders that do not allow it.

    Returns a line on each data set of which something was found.
    """
    place = request.workplace
    try:
        place.store.root.mkdir(parents=True, exist_ok=True)
        datasets = dict.fromkeys(task.cell.dataset for task in tasks)
        found = [fetch(dataset, place.data_root) for dataset in datasets]
        for name, plan in request.plans().items():
            place.store.write_plan(name, plan)
    except OSError as error:
        raise UserError(f"--results {place.store.root}: cannot be written ({error.strerror or error})") from None
    return [line for line in found if line]


def fetch(dataset: Choice[DatasetSettings], root: Path) -> str:
    """Download, check and decode what must be, before any worker needs it. Raises UserError if that fails.

    Returns a line on what was found, or nothing.
    """
    settings = dataset.settings
    try:
        return one_line(settings.fetch(root))
    except (OSError, HTTPException, RuntimeError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        advice = settings.by_hand(root)
        if not advice:
            raise UserError(f"{dataset.name}: {error}; see --data-root") from None
        raise UserError(
            f"{dataset.name}: not complete in {root} and not to be downloaded now ({error}); see --data-root, "
            f"or {advice}"
        ) from None
