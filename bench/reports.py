"""What `report` and `compare` do: the page, once or whenever records come in, and what changed."""

import gc
import math
import sys
import time
import webbrowser
from collections.abc import Collection, Iterable
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from analysis import change_table
from analysis.comparison import compare
from analysis.drawing.gallery_images import Gallery
from analysis.reading.commits import opened
from analysis.reading.merged import Merged
from analysis.report import Summary, write_report
from analysis.writing.sections import Section
from bench.core.errors import UserError
from bench.words import ChangeFormat

PAUSE = 2.0
"""Seconds between two looks for new records."""


def show_report(
    store: Merged, without: Collection[str], console: Console, *, to_open: bool, gallery: Gallery | None = None
) -> int:
    """Write the page and say where it is. Returns the exit code."""
    for line in store.disagreements():
        console.print(line, markup=False)
    summary = _write(store, without, gallery)
    for line in summary.lines:
        console.print(line, markup=False)
    _show_page(summary, console, to_open=to_open)
    gc.freeze()  # leaving, Python would look for garbage once more: a tenth of the time
    return 0 if summary.plans else 1


def watch_report(
    store: Merged, without: Collection[str], console: Console, *, to_open: bool, gallery: Gallery | None = None
) -> int:
    """The same whenever a record or a plan was written, until the user stops it. Prints the lines that are new."""
    state, told = None, set[str]()
    try:
        while True:
            if (found := store.state()) != state:
                summary, first, state = _write(store, without, gallery), state is None, found
                new = [line for line in [*store.disagreements(), *summary.lines] if line not in told]
                told.update(new)
                for line in new:
                    console.print(f"{datetime.now():%H:%M:%S} {line}", markup=False)
                if first:
                    _show_page(summary, console, to_open=to_open)
                    console.print("it is written again when records come in; Ctrl-C ends this")
            time.sleep(PAUSE)
    except KeyboardInterrupt:
        return 0


def _write(store: Merged, without: Collection[str], gallery: Gallery | None) -> Summary:
    """Write the report. What it makes lives to its end: to look for garbage takes a seventh of the time."""
    gc.disable()
    try:
        return write_report(store, without, _card, gallery)
    finally:
        gc.enable()


def _card(group: str, name: str) -> Iterable[str]:
    """The card of a method or an attack; torch, which that needs, is imported for the first one only."""
    from bench.cards import card

    return card(group, name)


def _show_page(summary: Summary, console: Console, *, to_open: bool) -> None:
    """Say where the page is, and open it if the user wants that."""
    page = summary.page.resolve()
    console.print(f"page: {page}", markup=False)
    if to_open and not webbrowser.open(page.as_uri()):
        console.print("--open: found no browser here; open that file yourself")


def show_changes(first: str, second: str, tolerance: float, form: ChangeFormat, console: Console) -> int:
    """Print what changed between two folders or commits.

    Returns the exit code: 1 if anything moved too far, or if nothing could be compared.
    """
    if not 0 <= tolerance < math.inf:
        raise UserError(f"--tolerance {tolerance:g}: must be a number of points, 0 or more")
    with opened(first) as one, opened(second) as other:
        changes = compare(one, other)
    names = first, second
    if form == "csv":
        sys.stdout.write(change_table.csv(changes, tolerance))
    elif form == "markdown":
        sys.stdout.write(change_table.markdown(changes, names, tolerance))
    else:
        for section in change_table.tables(changes, names, tolerance):
            _show_table(section, console)
        for line in change_table.lines(changes, names, tolerance):
            console.print(line, markup=False, soft_wrap=True)
    compared = any(change.pairs for change in changes)
    return 1 if not compared or any(change.moved(tolerance) for change in changes) else 0


def _show_table(section: Section, console: Console) -> None:
    """Print a table with what stands under it."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    marks = section.table.marks
    for column, entry in enumerate(section.table.head):
        table.add_column(escape(entry.text), justify="left" if column in section.table.words else "right")
    for row in section.table.rows:
        texts = [(escape(entry.text + marks.get(entry.note, "")), entry.best) for entry in row.entries]
        table.add_row(*(f"[bold]{text}[/bold]" if best else text for text, best in texts))
    console.print(section.context, markup=False, style="bold")
    console.print(table)
    for note, mark in marks.items():
        console.print(f"{mark} {note}", markup=False)
    console.print()
