"""The examples in the documents are run as they stand there, and their tables are those of the records."""

import importlib.util
import json
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, get_origin

import numpy as np
import pytest
from PIL import Image

from analysis import correlation, verdicts
from analysis.reading.records import read_results
from analysis.report import STUDIES
from analysis.writing.provenance import chapter
from analysis.writing.sections import Entry, Section
from attacks import ATTACKS
from bench.core import networks, settings
from bench.core.datasets import DATASETS
from bench.core.network_names import MODELS
from bench.grid.expand import GridFile
from bench.store import Store
from measures import MEASURES
from methods import METHODS
from tests.analysis.conftest import rasters
from tests.commands import run

DATA_AND_NETWORKS = "add-data-and-networks.md"
DOCUMENTS = [Path("README.md"), *sorted(Path("docs").glob("*.md"))]
FIGURES = {
    "contenders-small.svg": ("accuracy", "contenders-small"),
    "umap-small-rem.svg": ("embedding", "umap-small"),
}
GRID = """\
title: An example from the documents
datasets: [{data}]
models: [{model}]
methods: {methods}
attacks: {attacks}
measures: {measures}
train: {{steps: 2, batch_size: 10}}
seeds: 1
controls: false
"""


def blocks(document: str) -> list[str]:
    """The Python of a document."""
    return re.findall(r"```python\n(.*?)```", Path("docs", document).read_text(), re.DOTALL)


def example(document: str, folder: Path) -> ModuleType:
    """Import the first Python block of a document, which is a whole plug-in file."""
    file = folder / "example.py"
    file.write_text(blocks(document)[0])
    spec = importlib.util.spec_from_file_location("example", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def results(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    methods: str,
    attacks: str,
    data: str = "{name: synthetic, size: 8, train_images: 40, test_images: 20}",
    model: str = "cnn",
    measures: str = "[]",
) -> list[dict[str, Any]]:
    """Run a grid and return its records."""
    (folder / "scales.yaml").write_text("paper: {}\n")
    written = {"methods": methods, "attacks": attacks, "measures": measures, "data": data, "model": model}
    (folder / "grid.yaml").write_text(GRID.format(**written))
    monkeypatch.chdir(folder)
    assert run("--data-root", str(folder)) == 0
    return [json.loads(file.read_text()) for file in (folder / "results" / "cells").iterdir()]


def test_the_example_of_a_method_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "class_random", example("add-a-method.md", tmp_path).ClassRandom)
    records = results(tmp_path, monkeypatch, "[clean, {name: class_random, radius: [4/255, 8/255]}]", "[none]")
    assert sorted(record["noise"]["size"]["linf"] for record in records) == [0.0, round(4 / 255, 6), round(8 / 255, 6)]


def test_the_example_of_an_attack_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ATTACKS, "gaussian_noise", example("add-an-attack.md", tmp_path).GaussianNoise)
    attacks = "[none, gaussian_noise, [gaussian_noise, {name: pgd, steps: 1}]]"
    records = results(tmp_path, monkeypatch, "[clean]", attacks)
    assert len({record["history"]["train_loss"][-1] for record in records}) == 3


def test_the_example_of_a_measure_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MEASURES, "high_frequencies", example("add-a-measure.md", tmp_path).HighFrequencies)
    methods, measures = "[clean, random, sc]", "[{name: high_frequencies, above: [0.25, 1]}]"
    records = results(tmp_path, monkeypatch, methods, "[none]", measures=measures)
    found = {
        (record["cell"]["method"]["name"], record["cell"]["measure"]["above"]): record["result"]["share"]
        for record in records
        if "measure" in record["cell"]
    }
    assert [found["clean", above] for above in (0.25, 1.0)] == [None, None]
    assert [found[method, 1.0] for method in ("random", "sc")] == [0.0, 0.0]  # nothing is above the highest
    assert found["sc", 0.25] < found["random", 0.25] < 1


def test_the_examples_of_a_data_set_and_a_network_run_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DATASETS, "arrays", example(DATA_AND_NETWORKS, tmp_path).Arrays)
    own = dict(vars(networks))
    exec(blocks(DATA_AND_NETWORKS)[-1], own)
    monkeypatch.setitem(MODELS, "lenet", own["lenet"])
    arrays = {}
    for part, count in (("train", 40), ("test", 20)):
        arrays[f"{part}_images"] = np.arange(count * 768).reshape(-1, 16, 16, 3).astype("uint8")
        arrays[f"{part}_labels"] = np.arange(count) % 4
    np.savez(tmp_path / "mine.npz", **arrays)
    data = "{name: arrays, path: mine.npz, size: 16}"
    (record,) = results(tmp_path, monkeypatch, "[clean]", "[none]", data, "lenet/2")
    assert (record["cell"]["model"], record["result"]["chance"]) == ("lenet/2", 0.25)
    (tmp_path / "mine.npz").unlink()
    assert run("--data-root", str(tmp_path)) == 2


BY_ATTACK = " by attack"
NAMES = {
    "best response": "best_response",
    "early stopping": "early_stopping",
    "gained": "gains",
    "measures": "measured",
    "noise": "costs",
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
