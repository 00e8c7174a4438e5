"""What a stranger's text may do to a document: nothing."""

import re
from csv import reader
from pathlib import Path

import pytest

from analysis.page.opened import Opened
from analysis.page.page import page
from analysis.report import write_report
from analysis.writing.formats import csv, latex, latex_text, markdown, markdown_text
from analysis.writing.provenance import Chapter, Progress
from analysis.writing.sections import Entry, Row, Section, Table
from bench.store import Store
from tests.analysis.conftest import keep, markdown_of, place, plan_of, record, results_of

HOSTILE = "a\n\n\\input{x} | %_^~#&$ <b> [x] *y* \r\n\u2028# {z}"


def chapter(text: str) -> Chapter:
    """One in which every word is `text`."""
    entry = Entry(text, hint=text, note=text, best=True)
    table = Table([entry, entry], [Row([entry, entry])])
    section = Section(text, table, context=text, note=text, remarks=[text])
    return Chapter("plan", text, text, text, Progress(1, 0, 0), [], text, text, [section])


def test_latex_writes_out_all_that_means_something_to_it() -> None:
    assert latex_text("50 % of a_b & {c}\n\n\\input") == r"50 \% of a\_b \& \{c\} \textbackslash{}input"
    assert latex_text("[1pt] * <±>") == r"{[}1pt{]} {*} \textless{}$\pm$\textgreater{}"
    written = re.sub(r"\\textbackslash\{\}|\\text\w+\{\}|\\[&%$#_{}]|\{[][*]\}", "", latex_text(HOSTILE))
    assert not set(written) & set("\\{}[]*%_^~#&$<>|\n\r\u2028")


def test_no_text_begins_a_line_or_a_cell_of_its_own() -> None:
    plain = chapter("plain")
    for render in (markdown, latex):
        assert len(render(chapter(HOSTILE)).splitlines()) == len(render(plain).splitlines())
    rows = [line for line in markdown(chapter(HOSTILE)).splitlines() if line.startswith("|")]
    assert [len(re.split(r"(?<!\\)\|", row)) for row in rows] == [4, 4, 4]
    assert markdown_text("a|b\n# c") == r"a\|b \# c"


def test_a_line_end_in_a_title_makes_no_line_of_latex() -> None:
    lines = latex(chapter("a title\n\\input{/etc/passwd}\r\\write18{ls}\u2028\\x\x85\\y")).splitlines()
    for line in lines:
        assert not line.startswith("\\") or re.match(
            r"\\(begin|end|centering|caption|resizebox|\w+rule|scriptsize|text)", line
        )
    assert "\\input" not in "".join(line for line in lines if not line.startswith("%"))


def test_characters_that_no_reader_sees_are_question_marks() -> None:
    assert latex_text("\x1b[31mred\x00") == "?{[}31mred?"
    assert markdown_text("a\x07b\x9f") == "a?b?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a", r"\- a"),
        ("+", r"\+"),
        ("12. a", r"12\. a"),
        ("1) a", r"1\) a"),
        ("---", r"\---"),
        ("-3.2 a - b 4. c", "-3.2 a - b 4. c"),
        ("12.5", "12.5"),
        ("$x$", r"\$x\$"),
    ],
)
def test_markdown_makes_no_list_rule_or_formula_of_a_text(text: str, expected: str) -> None:
    assert markdown_text(text) == expected


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1\r"])
def test_a_spreadsheet_takes_no_text_for_a_formula(text: str) -> None:
    table = Table([Entry("a")], [])
    rows = [{"text": text, "number": -0.5, "count": 3, "none": None}, {"text": "a=b", "number": 2e-9, "none": None}]
    [content] = csv(
        Chapter("p", "", "", "", Progress(1, 0, 0), [], "", "", [Section("", table, numbers=rows)])
    ).values()
    assert list(reader(content.splitlines(keepends=True))) == [
        ["text", "number", "count", "none"],
        [f"'{text.strip()}", "-0.5", "3.0", ""],
        ["a=b", "2e-09", "", ""],
    ]


def test_a_title_with_dollar_signs_is_no_formula_of_a_figure(tmp_path: Path) -> None:
    places = [place("em", f"attack{number}", 1) for number in range(2)]
    plan = plan_of(places)
    plan["titles"] = {label: {"title": r"costs $\bad{x$ & <b>", "paper": "", "hint": ""} for label in plan["titles"]}
    store = Store(tmp_path)
    store.write_plan("g-small", plan)
    for number in range(2):
        keep(store, f"em-attack{number}-0", record(0.5))
    write_report(store)
    drawn = re.sub(r"\s+", " ", (tmp_path / "report" / "g-small-d-m.svg").read_text())
    assert r"costs $\bad{x$ &amp; &lt;b&gt;" in drawn


@pytest.mark.parametrize("text", ["<script>", "'\"", "{{ 1 + 1 }}"])
def test_the_page_shows_text_as_it_is(text: str) -> None:
    made = page([], [chapter(text)], Opened([]), {"plan": [text]}, text)
    ours = page([], [chapter("")], Opened([]), {"plan": []}, "")
    assert made.count("<script") == ours.count("<script") == 3
    assert made.count("'\"") == ours.count("'\"")
    assert ("{{ 1 + 1 }}" in made) == (text == "{{ 1 + 1 }}")


def test_what_is_tied_with_the_best_is_in_italics_everywhere(tmp_path: Path) -> None:
    tied = {("em", "none"): [0.2, 0.22, 0.21], ("sem", "none"): [0.21, 0.22, 0.23]}
    results_of(tmp_path, {("clean", "none"): [0.8, 0.83, 0.81], **tied})
    write_report(Store(tmp_path))
    assert "| SEM | *22.0 ± 2.5* |" in markdown_of(tmp_path)
    assert r"SEM & \textit{22.0 $\pm$ 2.5} \\" in (tmp_path / "report" / "g-small.tex").read_text()
    assert "<em>22.0</em>" in (tmp_path / "report" / "index.html").read_text()
