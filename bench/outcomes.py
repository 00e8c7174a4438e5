"""Cells in the words of their grid, and the table of accuracies with which a run ends."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.core.memory import in_order
from bench.grid.condition import STACKED, Condition
from bench.run.request import Request
from bench.run.schedule import Task
from bench.store import Store

WIDTH = 14
"""Characters of a column of accuracies, with the space before it."""


@dataclass(frozen=True)
class Words:
    """What tables call the parts of a cell."""

    method: str
    attack: str
    model: str
    dataset: str
    seed: str
    noise: str = ""
    """Which of several noises; empty if there is one."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them."""
        return self.method, self.attack, self.model, self.dataset, self.seed + self.noise

    def of(self, task: Task) -> str:
        """A task in a line."""
        if task.noise_only:
            return f"noise of {self.method} on {self.dataset}{self.noise}"
        if task.cell.measure:
            return f"{self.attack} of {self.method} on {self.dataset}, noise seed {task.cell.noise_seed}"
        return f"{self.method} against {self.attack}, {self.model} on {self.dataset}, seed {self.seed}{self.noise}"


def words_of(request: Request) -> dict[str, Words]:
    """The words for each cell of the grids, by its key."""
    conditions = [condition for grid, _ in request.expanded for condition in grid.conditions]
    datasets = _datasets(conditions)
    return {
        cell.key: Words(
            place.method.title,
            _attack(place),
            cell.model,
            datasets[place.dataset.label],
            str(cell.seed),
            f", noise seed {cell.noise_seed}" if place.noises > 1 else "",
        )
        for place in reversed(conditions)
        for cell in place.cells
    }


def show_accuracies(request: Request, console: Console) -> None:
    """Print a table for each data set and victim of each grid: what was run, method by attack."""
    wanted = {cell.key for cell in request.cells}
    for grid, _ in request.expanded:
        tested = [place for place in grid.conditions if not place.measure]
        conditions = [place for place in tested if wanted & {cell.key for cell in place.cells}]
        datasets = _datasets(conditions)
        for dataset, model in dict.fromkeys((place.dataset.label, place.model) for place in conditions):
            places = [place for place in conditions if (place.dataset.label, place.model) == (dataset, model)]
            console.print(f"\n{grid.title}: {model} on {datasets[dataset]}, test accuracy in %", markup=False)
            _show(places, request.workplace.store, console)
            console.print()


def _show(places: Sequence[Condition], store: Store, console: Console) -> None:
    """Print the places of a table; attacks are in the columns, as many at a time as the console is wide."""
    methods = list(dict.fromkeys(place.method.title for place in places))
    attacks = list(dict.fromkeys(map(_attack, places)))
    accuracies = {(place.method.title, _attack(place)): _accuracy(place, store) for place in places}
    width = max(map(len, methods)) + 1
    for part in in_order(len(attacks), max(1, (console.width - width) // WIDTH)):
        table = Table(box=None, header_style="bold", pad_edge=False)
        table.add_column("method", no_wrap=True)
        for attack in attacks[part]:
            table.add_column(escape(attack), justify="right", max_width=WIDTH - 1)
        for method in methods:
            table.add_row(escape(method), *(accuracies.get((method, attack), "") for attack in attacks[part]))
        console.print(table)


def _accuracy(place: Condition, store: Store) -> str:
    """The mean of the finished cells, with their number if some have not finished."""
    records = [store.read(cell.key) for cell in place.cells]
    finished = [record["result"]["final_accuracy"] for record in records if record and record["status"] == "finished"]
    if not finished:
        return "failed" if any(records) else "-"
    of = "" if len(finished) == len(records) else f" ({len(finished)}/{len(records)})"
    return f"{100 * mean(finished):.1f}{of}"


def _attack(place: Condition) -> str:
    if place.measure:
        return place.measure.title
    return STACKED.join(attack.title for attack in place.attacks)


def _datasets(places: Sequence[Condition]) -> dict[str, str]:
    """What to call each data set, by its label: its name, or the label if several have that name."""
    named = {place.dataset.label: place.dataset.choice.name for place in places}
    names = Counter(named.values())
    return {label: name if names[name] == 1 else label for label, name in named.items()}
