"""What `report` does: the page, once or whenever records come in."""

import time
import webbrowser
from collections.abc import Collection
from datetime import datetime

from rich.console import Console

from analysis.merged import Merged
from analysis.report import Summary, write_report

PAUSE = 2.0
"""Seconds between two looks for new records."""


def show_report(store: Merged, without: Collection[str], console: Console, *, to_open: bool) -> int:
    """Write the page and say where it is. Returns the exit code."""
    for line in store.disagreements():
        console.print(line, markup=False)
    summary = write_report(store, without)
    for line in summary.lines:
        console.print(line, markup=False)
    _show_page(summary, console, to_open=to_open)
    return 0 if summary.plans else 1


def watch_report(store: Merged, without: Collection[str], console: Console, *, to_open: bool) -> int:
    """The same whenever a record or a plan was written, until the user stops it. Prints the lines that are new."""
    state, told = None, set[str]()
    try:
        while True:
            if (found := store.state()) != state:
                summary, first, state = write_report(store, without), state is None, found
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


def _show_page(summary: Summary, console: Console, *, to_open: bool) -> None:
    """Say where the page is, and open it if the user wants that."""
    page = summary.page.resolve()
    console.print(f"page: {page}", markup=False)
    if to_open and not webbrowser.open(page.as_uri()):
        console.print("--open: found no browser here; open that file yourself")
