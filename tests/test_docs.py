"""The documents: their tables are those of the records, and their words are for strangers."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, get_origin

import numpy as np
import pytest
from PIL import Image

from analysis import correlation, verdicts
from analysis.reading.records import read_results
from analysis.report import STUDIES
from analysis.writing.provenance import chapter
from analysis.writing.sections import Entry, Section
from bench.core import settings
from bench.grid.expand import GridFile
from bench.store import Store
from tests.analysis.conftest import rasters

DOCUMENTS = [Path("README.md"), *sorted(Path("docs").glob("*.md"))]
FIGURES = {
    "contenders-small.svg": ("accuracy", "contenders-small"),
    "umap-small-rem.svg": ("embedding", "umap-small"),
}
BY_ATTACK = " by attack"
NAMES = {
    "best response": "best_response",
    "early stopping": "early_stopping",
    "gained": "gains",
    "measures": "measured",
    "noise": "costs",
    "two samples": "two_samples",
}
"""What documents call a study, where its module is called otherwise."""
QUOTED = {one.__name__.partition(".")[2]: one for one in STUDIES}


def quoted(document: str) -> list[tuple[str, str, list[list[str]]]]:
    """What a document quotes, `<!-- accuracy of PLAN -->` before each table: quantity, plan and rows.

    A table `by attack` has a row for each attack and a column for each method, and no intervals.
    """
    tables = re.findall(r"<!-- ([\w ]+) of ([\w-]+) -->\n((?:\|.*\n)+)", Path(document).read_text())
    rows = [[row[2:-2].split(" | ") for row in table.splitlines()] for _, _, table in tables]
    return [(quantity, plan, [head, *body]) for (quantity, plan, _), (head, _, *body) in zip(tables, rows, strict=True)]


def reported(quantity: str, plan: str) -> list[list[str]]:
    """The whole table that the committed records give; one by attack without its intervals, which are many."""
    table = section(quantity.removesuffix(BY_ATTACK), plan).table
    entries = [table.head, *(row.entries for row in table.rows)]
    if not quantity.endswith(BY_ATTACK):
        return [[marked(entry) for entry in row] for row in entries]
    (_, *attacks), *methods = [[marked(replace(entry, half_width="")) for entry in row] for row in entries]
    head = ["attack", *(name for name, *_ in methods)]
    return [head, *map(list, zip(attacks, *(row[1:] for row in methods), strict=True))]


def marked(entry: Entry) -> str:
    """An entry as Markdown has it."""
    return f"**{entry.text}**" if entry.best else f"*{entry.text}*" if entry.tied else entry.text


def section(quantity: str, plan: str) -> Section:
    """The first of a study, from the committed records; of `verdicts` the plan is a scale."""
    store = Store(Path("results"))
    if quantity == "verdicts":
        results = [read_results(name, one, store) for name, one in store.plans().items()]
        studies = [chapter(one, correlation.sections(one)) for one in results]
        return next(one.sections[0] for one in verdicts.chapters(results, studies) if one.name == f"claims-{plan}")
    return QUOTED[NAMES.get(quantity, quantity)].sections(read_results(plan, store.plans()[plan], store))[0]


@pytest.mark.parametrize("document", ["README.md", "docs/results.md", "docs/studies.md"])
def test_every_table_of_results_is_that_of_the_committed_records(document: str) -> None:
    tables = quoted(document)
    assert tables
    for quantity, plan, (head, *body) in tables:
        columns, *rows = reported(quantity, plan)
        kept = [place for place, name in enumerate(columns) if name in head]
        missing = [row for row in body if row not in [[row[place] for place in kept] for row in rows]]
        assert not missing, f"not what {quantity} of {plan} says"


def test_what_choosing_the_best_attack_costs_is_what_the_committed_records_say() -> None:
    [said] = [line for line in section("best response", "contenders-small").remarks if "choosing the attack" in line]
    assert said in " ".join(Path("docs/results.md").read_text().replace("\n> ", " ").split())


@pytest.mark.parametrize("file", FIGURES)
def test_every_figure_of_results_is_that_of_the_committed_records(file: str) -> None:
    drawn = section(*FIGURES[file]).figure
    assert drawn is not None
    shown = Path("docs", file).read_text()
    assert marks(shown) == marks(drawn.standalone)
    for one, other in zip(rasters(shown), rasters(drawn.standalone), strict=True):
        small = [np.asarray(each.resize((8, 8), Image.Resampling.BOX), float) for each in (one, other)]
        assert np.allclose(*small, atol=20)  # fonts may move a point by a pixel


def marks(svg: str) -> list[tuple[str, str]]:
    """Texts, and colours with their strength, in order: a cell of the map is a colour and a number.

    Places are left out, because they follow the fonts of the machine.
    """
    found = re.findall(r">([^<>]+)</text>|(fill: #\w+; fill-opacity: [\d.]+)", svg)
    return [(text, colour) for text, colour in found]


def test_every_key_of_a_grid_file_and_option_that_all_runs_need_is_explained() -> None:
    text = Path("docs/running.md").read_text()
    rows = re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
    explained = {key for row in rows for key in re.findall(r"`(.*?)`", row)}
    assert set(GridFile.model_fields) <= explained
    assert {"--results", "--data-root", "--jobs", "--device", "--only"} <= explained


def test_every_type_of_a_setting_is_explained() -> None:
    text = Path("docs/add-a-method.md").read_text()
    types = [name for name, kind in vars(settings).items() if get_origin(kind) is Annotated and name[0] != "_"]
    assert len(types) >= 8
    assert not [name for name in types if f"`{name}`" not in text]


def sentences(document: Path) -> list[str]:
    """The sentences of a document, without code, tables and headings; an item of a list begins one."""
    text = re.sub(r"```.*?```|<!--.*?-->", "", document.read_text(), flags=re.DOTALL)
    lines = [
        "" if line.startswith(("|", "#")) else re.sub(r"^\s*(-|\d+\.) ", "\n\n", line) for line in text.split("\n")
    ]
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines))
    found = [part for text in paragraphs for part in re.split(r"(?<=[.!?])\s+", " ".join(text.split()))]
    return [sentence for sentence in found if " " in sentence]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_documents_are_for_strangers(document: Path) -> None:
    lengths = [len(sentence.split()) for sentence in sentences(document)]
    assert sum(lengths) / len(lengths) < 20
    wide = [line for line in document.read_text().splitlines() if len(line) > 100 and not line.startswith("|")]
    assert not wide


def test_trying_the_readme_changes_no_committed_file() -> None:
    block = Path("README.md").read_text().partition("<!-- run command -->")[2].partition("```\n")[0]
    commands = [line for line in block.splitlines() if " -m bench " in line]
    assert len(commands) == 2
    for line in commands:
        folder = re.search(r"--results ([\w-]+)", line)
        assert folder is not None
        assert f"/{folder[1]}/" in Path(".gitignore").read_text().splitlines()
