"""Cells in the words of their grid, and the tables with which a run ends."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.core.memory import in_order
from bench.core.settings import STACKED, is_number
from bench.grid.condition import Condition
from bench.run.request import Request
from bench.run.schedule import Task
from bench.store import Store
from bench.words import told

WIDTH = 14
"""Characters of a column of numbers, with the space before it."""


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
    several = {(place.dataset.choice, place.method.choice) for place in conditions if place.noises > 1}
    return {
        cell.key: Words(
            place.method.title,
            _attack(place),
            cell.model,
            datasets[place.dataset.label],
            str(cell.seed),
            f", noise seed {cell.noise_seed}" if (place.dataset.choice, place.method.choice) in several else "",
        )
        for place in reversed(conditions)
        for cell in place.cells
    }


def show_results(request: Request, console: Console) -> None:
    """Print what was run, for each data set and victim of each grid: accuracies, and what was measured of the noise."""
    wanted = {cell.key for cell in request.cells}
    store = request.workplace.store
    for grid, _ in request.expanded:
        run = _shown(grid.conditions, wanted)
        datasets = _datasets(run)
        for dataset, model in dict.fromkeys((place.dataset.label, place.model) for place in run):
            places = [place for place in run if (place.dataset.label, place.model) == (dataset, model)]
            about = f"{grid.title}: {model} on {datasets[dataset]}"
            tested = [place for place in places if not place.measure]
            accuracies = {(place.method.title, _attack(place)): _accuracy(place, store) for place in tested}
            _show(f"{about}, test accuracy in %", accuracies, console)
            _show(f"{about}, measures of the noise", _measures(places, store), console)


def _shown(places: Sequence[Condition], wanted: set[str]) -> list[Condition]:
    """The places with wanted cells, and those that were declined in their rows and columns."""

    def runs(place: Condition) -> bool:
        return any(cell.key in wanted for cell in place.cells)

    rows, columns = ({name(place) for place in filter(runs, places)} for name in (_row, _attack))
    return [
        place
        for place in places
        if runs(place) or (place.declined and _row(place) in rows and _attack(place) in columns)
    ]


def _row(place: Condition) -> tuple[str, str, str]:
    return place.dataset.label, place.model, place.method.title


def _show(title: str, entries: Mapping[tuple[str, str], str], console: Console) -> None:
    """Print entries by method and heading, as many columns at a time as the console is wide."""
    if not entries:
        return
    methods, columns = (list(dict.fromkeys(key[side] for key in entries)) for side in (0, 1))
    console.print(f"\n{title}", markup=False)
    width = max(map(len, methods)) + 1
    for part in in_order(len(columns), max(1, (console.width - width) // WIDTH)):
        table = Table(box=None, header_style="bold", pad_edge=False)
        table.add_column("method", no_wrap=True)
        for column in columns[part]:
            table.add_column(escape(column), justify="right", max_width=WIDTH - 1)
        for method in methods:
            table.add_row(escape(method), *(entries.get((method, column), "") for column in columns[part]))
        console.print(table)
    console.print()


def _measures(places: Sequence[Condition], store: Store) -> dict[tuple[str, str], str]:
    """Each number, by method and by what it is; with its measure if several have one of that name."""
    found = [
        (place, place.measure.title, key, title)
        for place in places
        if place.measure
        for key, title in place.measure.choice.settings.numbers.items()
    ]
    measures = Counter(title for _, title in {(measure, title) for _, measure, _, title in found})
    return {
        (place.method.title, f"{title}, {measure}" if measures[title] > 1 else title): _mean(place, key, store, told)
        for place, measure, key, title in found
    }


def _accuracy(place: Condition, store: Store) -> str:
    return _mean(place, "final_accuracy", store, lambda value: f"{100 * value:.1f}")


def _mean(place: Condition, key: str, store: Store, form: Callable[[float], str]) -> str:
    """The mean of a number over the cells that have it, with how many these are if some have not."""
    if place.declined:
        return "does not apply"
    records = [store.read(cell.key) for cell in place.cells]
    known = [record.get("result", {}).get(key) for record in records if record]
    values = [value for value in known if is_number(value)]
    if not values:
        return "failed" if any(record and record["status"] != "finished" for record in records) else "-"
    return form(mean(values)) + ("" if len(values) == len(records) else f" ({len(values)}/{len(records)})")


def _attack(place: Condition) -> str:
    if place.measure:
        return place.measure.title
    return STACKED.join(attack.title for attack in place.attacks)


def _datasets(places: Sequence[Condition]) -> dict[str, str]:
    """What to call each data set, by its label: its name, or the label if several have that name."""
    named = {place.dataset.label: place.dataset.choice.name for place in places}
    names = Counter(named.values())
    return {label: name if names[name] == 1 else label for label, name in named.items()}
