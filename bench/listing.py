"""What `list` shows: the names of plug-ins, networks and grids, with a line for each, or cards."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.core.errors import UserError

CARDED = ("methods", "attacks", "datasets", "models")
"""What has a card for each name."""


def show_cards(what: str, names: Sequence[str]) -> None:
    """Print all that is known of what is named. Raises UserError for what has no card."""
    if what not in CARDED:
        raise UserError(f"list {what} {names[0]}: names belong to {', '.join(CARDED[:-1])} or {CARDED[-1]}")
    from analysis.published import clean_accuracies
    from bench.cards import card, model_card

    console = Console(highlight=False, soft_wrap=True)
    for name in names:
        for line in model_card(name, clean_accuracies(name)) if what == "models" else card(what, name):
            console.print(line, markup=False)


def show_list(what: str) -> None:
    """Print a line for each."""
    headings, *rows = listing(what)
    table = Table(box=None, header_style="bold")
    for heading in headings:
        table.add_column(heading, no_wrap=heading == what.removesuffix("s"))
    for cells in rows:
        table.add_row(*(escape(cell) for cell in cells))
    Console(highlight=False).print(table)


def listing(what: str) -> list[Sequence[str]]:
    """The headings, then a name and what it is for each of `what`."""
    if what == "grids":
        from bench.grid.library import named_grids
        from bench.grid.yaml_file import read_mapping

        titles = ((name, str(read_mapping(file).get("title", ""))) for name, file in named_grids().items())
        return [("grid", "what it shows"), *titles]
    from bench.cards import first_line, models

    if what == "models":
        return [("model", "what it is"), *models()]
    from bench.grid.expand import TABLES

    word = {"datasets": "data set"}.get(what, what.removesuffix("s"))
    return [(word, "what it is"), *((name, first_line(entry.__doc__)) for name, entry in TABLES[what].items())]
