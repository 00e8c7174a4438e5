"""What `list` shows: the names of plug-ins, networks and grids, with a line for each, or cards."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from rich.markup import escape
from rich.table import Table

from bench.core.errors import UserError, asked, cut, suggestion
from bench.terminal import terminal
from bench.words import CARD


def show_cards(what: str, names: Sequence[str]) -> None:
    """Print all that is known of what is named. Raises UserError for an unknown name."""
    console = terminal()
    for name in dict.fromkeys(names):
        with asked(f"list {what} {cut(name)}"):
            lines = list(_card(what, name))
        for line in lines:
            console.print(line, markup=False)


def _card(what: str, name: str) -> Iterable[str]:
    if what == "grids":
        return _grid_card(name)
    from bench.cards import card, model_card

    if what != "models":
        return card(what, name)
    from analysis.reading.published import clean_accuracies

    return model_card(name, clean_accuracies(name))


def _grid_card(name: str) -> Iterator[str]:
    """What a grid that goes by name shows, and where it is written."""
    from bench.grid.library import named_grids

    if name not in (grids := named_grids()):
        raise UserError(f"list grids {cut(name)}: no such name{suggestion(name, grids)}")
    values = _keys(grids[name])
    yield f"{name}: {values.get('title', '')}"
    yield from wrap(str(values.get("about", "")), CARD, initial_indent="  ", subsequent_indent="  ")
    yield f"  file: {grids[name]}"
    yield ""


def _keys(file: Path) -> dict[str, Any]:
    """What a grid says, with what the grid that it is like says."""
    from bench.grid.library import lineage_of

    return {key: value for _, written in lineage_of(file) for key, value in written.items()}


def _title(file: Path) -> str:
    """What a grid shows, or why it cannot be read."""
    try:
        return str(_keys(file).get("title", ""))
    except UserError as error:
        return str(error)


def show_list(what: str) -> None:
    """Print a line for each."""
    headings, *rows = listing(what)
    table = Table(box=None, header_style="bold")
    for heading in headings:
        table.add_column(heading, no_wrap=heading in (what.removesuffix("s"), "in tables"))
    for cells in rows:
        table.add_row(*(escape(cell) for cell in cells))
    terminal(soft_wrap=False).print(table)


def listing(what: str) -> list[Sequence[str]]:
    """The headings, then a name and what it is for each of `what`."""
    if what == "grids":
        from bench.grid.library import named_grids

        return [("grid", "what it shows"), *((name, _title(file)) for name, file in named_grids().items())]
    from bench.cards import first_line, models

    if what == "models":
        return [("model", "what it is"), *models()]
    from bench.core.plug_in import PlugIn
    from bench.grid.plug_ins import TABLES

    if what == "datasets":
        return [("data set", "what it is"), *((name, first_line(kind.__doc__)) for name, kind in TABLES[what].items())]
    plug_ins = {name: kind for name, kind in TABLES[what].items() if issubclass(kind, PlugIn)}
    named = ((name, kind.called(name), first_line(kind.__doc__)) for name, kind in plug_ins.items())
    return [(what.removesuffix("s"), "in tables", "what it is"), *named]
