"""The report: tables, figures and one page, all computed from the records of a results folder."""

import re
import signal
import sys
from collections.abc import Collection, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from joblib import cpu_count

from analysis import (
    accuracy,
    agreement,
    best_response,
    correlation,
    costs,
    early_stopping,
    embedding,
    failures,
    gains,
    measured,
    peaks,
    recovered,
    sources,
    stability,
    two_samples,
    verdicts,
)
from analysis.drawing.gallery_images import Gallery
from analysis.page.answer import answers
from analysis.page.opened import Opened
from analysis.page.page import EMPTY, page
from analysis.page.portraits import Card, attacks, methods
from analysis.reading.records import read_results
from analysis.reading.results import Results
from analysis.swept import swept
from analysis.writing.caveats import with_caveats
from analysis.writing.formats import files_of, files_of_drawings
from analysis.writing.provenance import Chapter, chapter
from bench.core.errors import UserError
from bench.store import Store
from bench.words import command

STUDIES = (
    *(
        best_response,
        accuracy,
        correlation,
        measured,
        stability,
        embedding,
        two_samples,
        recovered,
        gains,
        failures,
        early_stopping,
        peaks,
    ),
    *(costs, agreement, sources),
)
"""In the order in which a report shows them; each has a function `sections` of the results of a plan."""


MANY = 500
"""So many records are worth the seconds that further processes take to start."""


@dataclass(frozen=True)
class Summary:
    """What was reported: a line for each plan, where the page is, and how many plans there are."""

    lines: list[str]
    page: Path
    plans: int


def write_report(
    store: Store, without: Collection[str] = (), card: Card | None = None, gallery: Gallery | None = None
) -> Summary:
    """Write Markdown, CSV, LaTeX and figures of every plan, and one page of all. The same records, the same bytes.

    `card` has what there is to know of a method or an attack before running it; without it the page does not say.
    `gallery` is shown instead of the one on images that the suite draws.
    Attacks that assume one of `without` are left out. A plan or a record that does not hold is named and missing.
    """
    plans = sorted(store.plans().items(), key=lambda item: _counting(item[0]))
    results = [read_results(name, plan, store, without) for name, plan in plans]
    plain = _chapters(results)
    chapters = [*verdicts.chapters(results, plain), *plain]
    names = {}
    for one in chapters:
        files = files_of(one)
        names[one.name] = list(files)
        for name, content in files.items():
            store.write_report(name, content)
    first = command("run table2 --scale tiny", store.root)
    found = answers(results, {one.name: one for one in chapters})
    for answer in found:
        for name, content in files_of_drawings(answer.pictures).items():
            store.write_report(f"scale-{answer.scale}{name}", content)
    portraits = [
        (title, each(found[0].rows, one, card))
        for title, each in (("Methods", methods), ("Attacks", attacks))
        for one in results
        if found and one.name == found[0].plan
    ]
    file = store.write_report("index.html", page(found, chapters, Opened(results), names, first, portraits, gallery))
    lines = [f"{one.subject}: {one.progress}" for one in plain] or [f"{EMPTY}: {first}"]
    return Summary(lines, file, len(plain))


def _counting(name: str) -> list[tuple[bool, int, str]]:
    """What names are sorted by so that their numbers count: `table2` before `table11`."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", name)]


def _chapters(results: Sequence[Results]) -> list[Chapter]:
    """A chapter for each, in the same order; of many records on all cores, the longest first."""
    order = sorted(range(len(results)), key=lambda place: -len(results[place].records))
    ordered = [results[place] for place in order]
    if sum(len(one.records) for one in results) < MANY:
        chapters = list(map(_chapter, ordered))
    else:
        # On Linux processes are forks, which import nothing again; what ends them is no Ctrl-C.
        context = get_context("fork" if sys.platform == "linux" else None)
        jobs, ended = min(cpu_count(), len(results)), (signal.SIGTERM, signal.SIG_DFL)
        try:
            with ProcessPoolExecutor(jobs, context, signal.signal, ended) as pool:
                chapters = list(pool.map(_chapter, ordered))
        except BrokenProcessPool:
            raise UserError("report: one of its processes was killed (out of memory?)") from None
    made = dict(zip(order, chapters, strict=True))
    return [made[place] for place in range(len(results))]


def _chapter(results: Results) -> Chapter:
    sections = [section for study in STUDIES for section in study.sections(results)]
    told = chapter(results, [with_caveats(section, results) for section in sections])
    return replace(told, pictures=swept(results))
