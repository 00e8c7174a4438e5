import csv
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analysis import costs
from analysis.reading.published import REM_RECIPE
from analysis.report import write_report
from bench.core.files import to_json
from bench.core.settings import digest
from bench.store import Store
from tests.analysis.conftest import (
    ORIGIN,
    Accuracies,
    cell_of,
    keep,
    key_of,
    markdown_of,
    place,
    plan_of,
    record,
    results_of,
    texts,
)

PAPER = {"dataset": "cifar10", "model": "resnet18"}
HERE = {"dataset": {"name": "cifar10"}, "model": "cnn"}
PLAN = plan_of(
    [
        place(method, attack, 2, cells=[key_of(f"{method}-{attack.split()[0]}-{seed}", **HERE) for seed in range(2)])
        | {"dataset": "cifar10", "model": "cnn"}
        | {"paper": {**PAPER, "method": {"name": method} | own, "attacks": [{"name": attack.split()[0], **settings}]}}
        for method, own in (("clean", {}), ("sem", {"radius": "8/255", "surrogate": "resnet18"}))
        for attack, settings in (("none", {}), ("pgd radius=8/255", {"radius": "4/255"}))
    ],
    grid="table2",
    title="Table 2: accuracy by method",
    about="A low number means that the protection holds.",
    scale={"name": "small", "about": "Cut down for a laptop.", "changes": {"train": {"steps": 800}}},
)
PLAN["titles"]["pgd radius=8/255"] = {"title": "PGD 8/255", "paper": "PGD 4/255", "hint": "4/255"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A plan of eight cells: five finished, one failed, two missing."""
    store = Store(tmp_path / "results")
    store.write_plan("table2-small", PLAN)
    for name, accuracy in {"clean-none-0": 0.54, "clean-none-1": 0.56, "sem-none-0": 0.2, "sem-none-1": 0.22}.items():
        keep(store, name, record(accuracy, noise=name.partition("-")[0]), **HERE)
    keep(store, "clean-pgd-0", record(0.4, noise="clean", commit="0123456789ab+"), **HERE)
    failure = {"status": "failed", "error": "ValueError: budget <8/255> left", "provenance": ORIGIN}
    keep(store, "clean-pgd-1", failure | {"time": {"ended": "2026-11-22T14:00:00+00:00"}}, **HERE)
    return store


class Page(HTMLParser):
    """Keeps what a reader sees, and raises on a tag that is closed out of order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.addresses = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "br", "input"}:
            self.open.append(tag)
        self.addresses += [value for name, value in attrs if name in {"href", "src", "xlink:href", "action"}]

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["style"], ["script"]):
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_a_line_for_each_plan_tells_how_much_is_finished(store: Store) -> None:
    assert write_report(store).lines == ["table2 at scale small: 5 of 8 cells finished, 1 failed, 2 missing"]


def test_the_line_of_a_changed_plan_tells_the_changes(store: Store) -> None:
    store.write_plan("table2-small-ab12cd", PLAN | {"set": {"train": {"steps": 20}}})
    assert write_report(store).lines[1].startswith("table2 at scale small with train.steps=20: 5 of 8")


def test_the_page_is_well_formed_and_asks_for_nothing_else(store: Store) -> None:
    text = write_report(store).page.read_text()
    page = Page(text)
    assert page.open == []
    assert not re.search(r"<link|@import|url\((?!#)|fetch\(|XMLHttpRequest|<script src", text)
    names = {"http://unlicense.org", "http://www.w3.org/2000/svg"}  # of a licence and of a format
    assert set(re.findall(r"https?://[^\s\"<>]+", text)) == names
    assert all(re.fullmatch(r"#.*|table2-small[\w.-]*", address) for address in page.addresses)


def test_the_page_shows_results_failures_gaps_and_where_they_come_from(store: Store) -> None:
    page = Page(write_report(store).page.read_text()).text
    assert "55.0 ± 12.7" in page  # 12.7062 x 1.0 points
    assert "[94.5]" not in page  # another experiment's number stands beside none of ours
    assert "1 of 2 seeds finished, 1 failed; no interval" in page
    assert "ValueError: budget <8/255> left" in page
    assert f"python -m bench show {key_of('clean-pgd-1', **HERE)}" in page
    assert "cffc4e0b8cd8 (5 cells) 0123456789ab+ (1 cell)" in page
    assert "PGD 8/255 paper 4/255" in page
    assert "a different experiment" in page
    assert "Oracle: best look at the test set" in page
    assert "24,000" in page
    assert "MI-UE, ICLR 2026, arXiv 2603.03725" in page


def test_the_result_stands_before_where_it_comes_from(store: Store) -> None:
    text = write_report(store).page.read_text()
    assert text.index("55.0") < text.index("How it was run") < text.index("cffc4e0b8cd8")
    assert "victims: steps=800, batch_size=64" in (store.root / "report" / "table2-small.md").read_text().replace(
        "\\", ""
    )
    assert "steps=800 batch_size=64" in Page(text).text


def test_numbers_in_the_names_of_plans_count(store: Store) -> None:
    for name in ("table11-small", "table5-small", "methods-small"):
        store.write_plan(name, PLAN | {"grid": name.partition("-")[0]})
    lines = write_report(store).lines
    assert [line.partition(" ")[0] for line in lines] == ["methods", "table2", "table5", "table11"]


def test_a_single_cell_is_one_cell(tmp_path: Path) -> None:
    results_of(tmp_path, {("em", "none"): [0.1]})
    assert write_report(Store(tmp_path)).lines == ["g at scale small: 1 of 1 cell finished, 0 failed, 0 missing"]


def test_markdown_and_latex_carry_the_scale_the_counts_and_the_numbers(store: Store) -> None:
    write_report(store)
    markdown = markdown_of(store.root, "table2-small")
    assert "| SEM | **21.0 ± 12.7** | – |" in markdown  # noqa: RUF001
    assert "| clean | 55.0 ± 12.7 | 40.0† |" in markdown
    latex = (store.root / "report" / "table2-small.tex").read_text()
    assert r"SEM & \textbf{21.0 $\pm$ 12.7} & -- \\" in latex
    for text in (markdown, latex):
        assert "Cut down for a laptop." in text
        assert "5 of 8 cells finished, 1 failed, 2 missing" in text
        assert "train: steps=800" in text


def test_the_csv_holds_all_numbers_as_recorded(store: Store) -> None:
    write_report(store)
    with (store.root / "report" / "table2-small.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["method"], row["attack"]) for row in rows] == [(c["method"], c["attack"]) for c in PLAN["conditions"]]
    assert (rows[0]["final_accuracy"], rows[0]["final_accuracy_half_width"]) == ("0.55", "0.127062")
    assert (rows[1]["finished"], rows[1]["failed"], rows[1]["missing"]) == ("1", "1", "0")
    assert (rows[2]["noise_passes"], rows[2]["published_accuracy"]) == ("24000.0", "")  # of another scale
    assert (rows[3]["final_accuracy"], rows[3]["missing"]) == ("", "2")


def test_the_same_records_give_the_same_bytes(store: Store) -> None:
    write_report(store)
    first = {file.name: file.read_bytes() for file in (store.root / "report").iterdir()}
    write_report(store)
    assert {file.name: file.read_bytes() for file in (store.root / "report").iterdir()} == first
    assert {name.rpartition(".")[2] for name in first} == {"md", "csv", "tex", "svg", "png", "html"}


def test_at_the_papers_own_scale_another_recipe_is_still_another_experiment(store: Store) -> None:
    store.write_plan("table2-small", PLAN | {"scale": {"name": "paper", "about": "The paper's recipe.", "changes": {}}})
    page = Page(write_report(store).page.read_text()).text
    assert "of other training recipes than ours" in page
    assert "same condition" not in page
    assert "a different experiment" not in page


def test_at_the_papers_own_scale_the_same_recipe_is_the_same_condition(store: Store) -> None:
    cells = [cell_of(f"clean-none-{seed}", **HERE, train=REM_RECIPE) for seed in range(2)]
    [clean] = [one for one in PLAN["conditions"] if (one["method"], one["attack"]) == ("clean", "none")]
    paper = {"name": "paper", "about": "The paper's recipe.", "changes": {}}
    store.write_plan(
        "table2-small", PLAN | {"scale": paper, "conditions": [clean | {"cells": list(map(digest, cells))}]}
    )
    for cell in cells:
        store.write(digest(cell), record(0.5, noise="clean") | {"key": digest(cell), "asked": {}, "cell": cell})
    page = Page(write_report(store).page.read_text()).text
    assert "published values of the same condition" in page
    assert "one laboratory: REM" in page


def test_an_empty_store_gives_a_friendly_page(tmp_path: Path) -> None:
    summary = write_report(Store(tmp_path))
    first = f"python -m bench run table2 --scale tiny --results {tmp_path}"
    assert summary.lines == [f"no plan yet: run a grid first: {first}"]
    assert "python -m bench run" in Page(summary.page.read_text()).text


def test_a_plan_without_any_finished_cell_has_a_table_and_no_figure(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_plan("table2-small", PLAN)
    assert write_report(store).lines == ["table2 at scale small: 0 of 8 cells finished, 0 failed, 8 missing"]
    assert not list((store.root / "report").glob("*.svg"))


def test_a_broken_record_is_named_and_missing(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    file = store.cell_file(key_of("sem-none-0", **HERE))
    file.write_text("{}")
    assert write_report(store).lines == ["table2 at scale small: 4 of 8 cells finished, 1 failed, 3 missing"]
    [line] = caplog.messages
    assert line.startswith(f"{file}: no status that a record has")
    caplog.clear()
    assert write_report(store).lines == ["table2 at scale small: 4 of 8 cells finished, 1 failed, 3 missing"]
    assert caplog.messages == []


def test_the_cost_of_an_attack_is_also_told_as_a_multiple_of_plain_training(tmp_path: Path) -> None:
    runs: Accuracies = {("em", "none"): [0.1], ("em", "pgd"): [0.5], ("sem", "pgd"): [0.5]}
    _, section = costs.sections(results_of(tmp_path, runs))
    assert texts(section.table) == [
        ["attack", "passes", "times plain training", "seconds", "times plain training"],
        ["none", "10", "1.0", "20.0", "1.0"],
        ["PGD", "110", "11.0", "220.0", "11.0"],
    ]
    _, section = costs.sections(results_of(tmp_path / "other", {("em", "pgd"): [0.5]}))
    assert texts(section.table)[1] == ["PGD", "110", "–", "220.0", "–"]  # noqa: RUF001


@pytest.mark.parametrize("missing", ["titles", "control", "release", "assumes", "own_controls", "declined", "noises"])
def test_a_plan_of_an_earlier_version_says_how_to_write_it_anew(
    missing: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = results_of(tmp_path, {("em", "none"): [0.1]}).plan
    store = Store(tmp_path)
    store.write_plan("other", plan)
    plan = {key: value for key, value in plan.items() if key != missing}
    plan["conditions"] = [{key: value for key, value in plan["conditions"][0].items() if key != missing}]
    store.plan_file("g-small").write_text(to_json(plan))
    assert write_report(store).plans == 1
    file, aside = store.plan_file("g-small"), tmp_path / "broken" / "plans" / "g-small.json"
    place = missing if missing == "titles" else f"conditions.0.{missing}"
    [line] = caplog.messages
    assert line.startswith(f"{file}: {place}: is missing")
    assert line.endswith(f"; set aside as {aside}; run its grid again, which keeps finished cells")
    assert aside.is_file()
