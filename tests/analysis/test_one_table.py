"""One table of a plan by itself, in each format."""

import csv
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from analysis.one_table import plan_of, table_text
from analysis.reading.records import read_results
from analysis.report import STUDIES, write_report
from bench.core.errors import UserError
from bench.store import Store
from tests.analysis.conftest import place, results_of
from tests.analysis.conftest import plan_of as a_plan
from tests.analysis.writing.test_formats import HOSTILE

RUNS = {
    ("clean", "none"): [0.8, 0.9],
    ("clean", "pgd radius=8/255"): [0.6, None],
    ("em", "none"): [0.2, 0.3],
    ("em", "pgd radius=8/255"): [0.5, 0.5],
    ("sem", "none"): [0.3, 0.22],
    ("sem", "pgd radius=8/255"): [0.5, 0.5],
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    results_of(tmp_path, RUNS)
    return Store(tmp_path)


def test_markdown_is_padded_and_says_what_it_is_of(store: Store) -> None:
    text = table_text(store, "g", "markdown")
    lines = text.splitlines()
    assert lines[0].startswith(
        "t. Final accuracy on clean test images, %: d, m, scale small. 2 victim seeds, one noise."
    )
    assert lines[2:7] == [
        "| method |            none |  PGD 8/255 |",
        "| ------ | --------------: | ---------: |",
        "| clean  |     85.0 ± 63.5 |      60.0† |",
        "| EM     | **25.0 ± 63.5** | 50.0 ± 0.0 |",
        "| SEM    |   *26.0 ± 50.8* | 50.0 ± 0.0 |",
    ]
    assert len({len(line) for line in lines if line.startswith("|")}) == 1
    assert "† 1 of 2 seeds finished, 1 missing; no interval." in lines


def test_csv_has_a_row_for_each_place_and_a_column_for_each_number(store: Store) -> None:
    rows = list(csv.DictReader(table_text(store, "g", "csv").splitlines()))
    assert [(row["method"], row["attack"], row["final_accuracy"], row["missing"]) for row in rows] == [
        ("clean", "none", "0.85", "0"),
        ("clean", "pgd radius=8/255", "0.6", "1"),
        ("em", "none", "0.25", "0"),
        ("em", "pgd radius=8/255", "0.5", "0"),
        ("sem", "none", "0.26", "0"),
        ("sem", "pgd radius=8/255", "0.5", "0"),
    ]
    write_report(store)
    assert (store.root / "report" / "g-small.csv").read_text() == table_text(store, "g", "csv")


def test_html_is_a_table_of_its_own_and_well_formed(store: Store) -> None:
    table = ElementTree.fromstring(table_text(store, "g", "html"))
    assert table.tag == "table"
    rows = [[cell.text or "" for cell in row] for row in table.iterfind("tbody/tr")]
    assert [row[0] for row in rows] == ["clean", "EM", "SEM"]
    assert rows[0][1] == "85.0 ± 63.5"
    assert table.findtext("tbody/tr/td/sup") == "†"
    assert table.findtext("tbody/tr/td/strong") == "25.0 ± 63.5"
    assert table.findtext("tbody/tr/td/em") == "26.0 ± 50.8"
    assert (table.findtext("tfoot/tr/td") or "").startswith("† 1 of 2 seeds finished")


def test_latex_has_as_many_entries_in_each_row_as_columns(store: Store) -> None:
    text = table_text(store, "g", "latex")
    [columns] = re.findall(r"\\begin\{tabular\}\{(\w+)\}", text)
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert [len(row.split(" & ")) for row in rows] == [len(columns)] * 4
    assert r"clean & 85.0 $\pm$ 63.5 & 60.0$^{\dagger}$ \\" in rows


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.parametrize("title", ["t", " ".join(HOSTILE.split())])
def test_latex_compiles_whatever_a_plan_is_called(title: str, store: Store, tmp_path: Path) -> None:
    plan = store.plans()["g-small"]
    titles = {label: words | {"title": f"{words['title']} {title}"} for label, words in plan["titles"].items()}
    store.write_plan("g-small", plan | {"title": title, "titles": titles})
    document = r"\documentclass{article}\usepackage{array,booktabs,graphicx,longtable}\begin{document}%s\end{document}"
    (tmp_path / "it.tex").write_text(document.replace("%s", "\n" + table_text(store, "g", "latex")))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "it.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


def test_what_a_stranger_wrote_is_no_html(store: Store) -> None:
    store.write_plan("g-small", store.plans()["g-small"] | {"title": "a <script> & 'b'"})
    text = table_text(store, "g", "html")
    assert "<script" not in text
    assert (ElementTree.fromstring(text).findtext("caption") or "").startswith("a <script> & 'b'. Final")


def test_each_study_that_a_plan_has_can_be_printed(tmp_path: Path) -> None:
    results_of(tmp_path, {(method, f"attack{n}"): [0.5, 0.6] for method in ("clean", "em") for n in range(6)})
    store, plan = Store(tmp_path), Store(tmp_path).plans()["g-small"]
    results = read_results("g-small", plan, store)
    has = {study.__name__.rpartition(".")[2]: len(study.sections(results)) for study in STUDIES}
    assert {"accuracy", "best_response", "recovered", "peaks", "costs"} <= {
        name for name, count in has.items() if count
    }
    for name, count in has.items():
        if count:
            assert table_text(store, "g", "markdown", study=name).count("\n| -") == count
        else:
            with pytest.raises(UserError, match=f"--study {name}: g-small has none; choices: "):
                table_text(store, "g", "markdown", study=name)


def test_a_plan_that_measures_noises_shows_what_it_measured() -> None:
    head = table_text(Store(Path("results")), "generation_time", "csv", scale="small").splitlines()[0]
    assert head == "dataset,model,method,measure,title,noise,passes,seconds,images_per_second,memory"


def test_attacks_can_be_left_out_of_a_table_too(tmp_path: Path) -> None:
    results_of(tmp_path, {("em", "none"): [0.5], ("em", "partial"): [0.6]})
    assert "partial poisoning" in table_text(Store(tmp_path), "g", "markdown")
    assert "partial poisoning |" not in table_text(Store(tmp_path), "g", "markdown", without=("clean images",))


@pytest.mark.parametrize(
    ("name", "scale", "study", "message"),
    [
        ("tabel2", "", "", "--table tabel2: no such plan or grid in ROOT; did you mean 'table2'? (choices: g, table2)"),
        ("table2", "", "", "--table table2: 2 plans are of this grid; add --scale, or name one: table2-long, table2-x"),
        ("table2", "lng", "", "--scale lng: table2 has not run at it; did you mean 'long'? (choices: long, small)"),
        ("g", "", "acuracy", "--study acuracy: unknown; did you mean 'accuracy'?"),
        ("g", "", "failures", "--study failures: g-small has none; choices: accuracy, "),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(
    name: str, scale: str, study: str, message: str, store: Store
) -> None:
    for plan, its_scale in (("table2-long", "long"), ("table2-x", "small")):
        about = {"name": its_scale, "about": "", "changes": {}}
        store.write_plan(plan, a_plan([place("em", "none", 1)], grid="table2", scale=about))
    with pytest.raises(UserError) as caught:
        table_text(store, name, "markdown", scale=scale, study=study)
    assert str(caught.value).replace(str(store.root), "ROOT").startswith(message)
    assert plan_of(store, "table2", "small") == plan_of(store, "table2-x", "") == "table2-x"


def test_two_plans_of_one_grid_and_scale_are_told_apart_by_their_names(store: Store) -> None:
    store.write_plan("g-small-ab12", store.plans()["g-small"] | {"set": {"train": {"steps": 1}}})
    with pytest.raises(UserError, match=r"--table g: 2 plans are of this grid; name one: g-small, g-small-ab12"):
        plan_of(store, "g", "small")
    assert plan_of(store, "g-small", "") == "g-small"


def test_a_study_without_numbers_of_its_own_has_no_csv(store: Store) -> None:
    with pytest.raises(UserError, match="--format csv: costs has no numbers of its own; choices: markdown, "):
        table_text(store, "g", "csv", study="costs")
