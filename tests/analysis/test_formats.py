"""What a stranger's text may do to a document: nothing."""

import re

import pytest

from analysis.formats import latex, latex_text, markdown, markdown_text
from analysis.page import page
from analysis.provenance import Chapter, Progress
from analysis.sections import Entry, Row, Section, Table

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


@pytest.mark.parametrize("text", ["<script>", "'\"", "{{ 1 + 1 }}"])
def test_the_page_shows_text_as_it_is(text: str) -> None:
    made = page([chapter(text)], {"plan": [text]}, text)
    assert "<script" not in made
    assert "'\"" not in made
    assert ("{{ 1 + 1 }}" in made) == (text == "{{ 1 + 1 }}")
