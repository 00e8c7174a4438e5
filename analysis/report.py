"""The report: tables, figures and one page, all computed from the records of a results folder."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from analysis.conditions import Results, read_results
from analysis.figures import accuracy_figure
from analysis.page import EMPTY, page
from analysis.provenance import summary_line
from analysis.renderers import files_of
from analysis.tables import tables_of
from bench.store import Store


@dataclass(frozen=True)
class Summary:
    """What was reported: a line for each plan, and where the page is."""

    lines: list[str]
    page: Path


def write_report(store: Store, without: Collection[str] = ()) -> Summary:
    """Write Markdown, CSV, LaTeX and figures of every plan, and one page of all. The same records, the same bytes.

    Attacks that assume one of `without` are left out. Raises StoreError where a plan or a record cannot be read.
    """
    plans = [read_results(name, plan, store, without) for name, plan in store.plans().items()]
    drawn = [(results, _figures(results)) for results in plans]
    for results, figures in drawn:
        for ending, text in files_of(results).items():
            store.write_report(f"{results.name}{ending}", text)
        for name, figure in figures.items():
            if figure:
                store.write_report(name, figure)
    file = store.write_report("index.html", page(drawn, store.root))
    return Summary([summary_line(results) for results in plans] or [EMPTY], file)


def _figures(results: Results) -> dict[str, str]:
    """One figure for each table, by file name; empty where nothing is finished."""
    figures = {}
    for table in tables_of(results):
        place = re.sub(r"[^\w.]+", "-", f"{table.dataset}-{table.model}")
        figures[f"{results.name}-{place}.svg"] = accuracy_figure(table)
    return figures
