"""The report: tables, figures and one page, all computed from the records of a results folder."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from analysis import accuracy, best_response, costs, early_stopping, failures, gains, peaks, recovered, sources
from analysis.formats import files_of
from analysis.page import EMPTY, page
from analysis.provenance import Chapter, chapter
from analysis.records import read_results
from analysis.results import Results
from bench.store import Store

STUDIES = (best_response, accuracy, recovered, gains, failures, early_stopping, peaks, costs, sources)
"""In the order in which a report shows them; each has a function `sections` of the results of a plan."""


@dataclass(frozen=True)
class Summary:
    """What was reported: a line for each plan, where the page is, and how many plans there are."""

    lines: list[str]
    page: Path
    plans: int


def write_report(store: Store, without: Collection[str] = ()) -> Summary:
    """Write Markdown, CSV, LaTeX and figures of every plan, and one page of all. The same records, the same bytes.

    Attacks that assume one of `without` are left out. A plan or a record that does not hold is named and missing.
    """
    chapters = [_chapter(read_results(name, plan, store, without)) for name, plan in store.plans().items()]
    names = {}
    for one in chapters:
        files = files_of(one)
        names[one.name] = list(files)
        for name, text in files.items():
            store.write_report(name, text)
    file = store.write_report("index.html", page(chapters, names))
    return Summary([f"{one.subject}: {one.progress}" for one in chapters] or [EMPTY], file, len(chapters))


def _chapter(results: Results) -> Chapter:
    return chapter(results, [section for study in STUDIES for section in study.sections(results)])
