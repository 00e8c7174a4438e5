"""The chapter of a plan as Markdown, LaTeX, CSV and figures."""

import re
from collections.abc import Sequence
from typing import Any

from pandas import DataFrame

from analysis.writing.provenance import Chapter
from analysis.writing.sections import Drawing, Entry, Section, Table
from bench.store import Record

FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes for the beginning of one."""
LONGEST, SHORTEST = 80, 14
"""Characters of a text that count for the width of a column, at most and at least; with more it is a sentence."""
_LATEX = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    **{character: f"{{{character}}}" for character in "[]*"},  # after the end of a row they would be its options
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "±": r"$\pm$",
    "≥": r"$\geq$",
    "\N{EN DASH}": "--",
    "†": r"$^{\dagger}$",
    "‡": r"$^{\ddagger}$",
    "§": r"$^{\S}$",
    "¶": r"$^{\P}$",
    "‖": r"$^{\|}$",
}


def files_of(chapter: Chapter) -> dict[str, str | bytes]:
    """Everything written of a plan besides the page, by file name."""
    texts = {".md": markdown(chapter), ".tex": latex(chapter), **csv(chapter)}
    drawn = [*(section.figure for section in chapter.sections if section.figure), *chapter.pictures]
    files = texts | files_of_drawings(drawn)
    return {f"{chapter.name}{ending}": content for ending, content in files.items()}


def files_of_drawings(drawn: Sequence[Drawing]) -> dict[str, str | bytes]:
    """Each as SVG, and as PNG if it has one, by how the names of the files go on."""
    files: dict[str, str | bytes] = {}
    for one in drawn:
        files |= {one.file: one.standalone} | ({one.file.replace(".svg", ".png"): one.png} if one.png else {})
    return files


def csv(chapter: Chapter) -> dict[str, str]:
    """All numbers in full, as recorded: shares in [0, 1], radii in [0, 1] units, seconds.

    Text is on one line; if a spreadsheet would take it for a formula it has an apostrophe before it.
    """
    numbers: dict[str, list[Record]] = {}
    for section in chapter.sections:
        if section.numbers:
            numbers.setdefault(f"{section.file}.csv", []).extend(section.numbers)
    tables = {file: DataFrame(rows).map(csv_value) for file, rows in numbers.items()}
    return {file: str(table.to_csv(index=False, lineterminator="\n")) for file, table in tables.items()}


def csv_value(value: Any) -> Any:
    """A number as it is; text on one line, with an apostrophe before what a spreadsheet would compute."""
    if not isinstance(value, str):
        return value
    text = _on_one_line(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def markdown(chapter: Chapter) -> str:
    """One document: what was run, then every section."""
    facts = [f"- **{fact.name}:** {markdown_text('; '.join(fact.statements))}" for fact in chapter.facts]
    parts = [f"# {markdown_text(chapter.title)}", markdown_text(chapter.about), "\n".join(facts)]
    parts.append(markdown_text(chapter.reading))
    for section in chapter.sections:
        parts += [f"## {markdown_text(_heading(section))}", markdown_text(section.note)]
        parts += [markdown_table(section.table), *markdown_remarks(section)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _heading(section: Section) -> str:
    return ": ".join(text for text in (section.heading, section.context) if text)


def caption(section: Section, chapter: Chapter) -> str:
    """What a table needs to be read away from its page, in one line."""
    return _sentences(chapter.title, _heading(section), section.note, chapter.basis)


def _sentences(*texts: str) -> str:
    return " ".join(f"{text.rstrip('.')}." for text in texts if text)


def markdown_table(table: Table) -> str:
    """The table alone, its columns padded to their width; numbers stand at the right."""
    marks = table.marks
    rows = [[_markdown_entry(one, marks) for one in row] for row in (table.head, *(row.entries for row in table.rows))]
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    words = [column in table.words for column in range(len(widths))]
    rule = ["-" * width if left else "-" * (width - 1) + ":" for left, width in zip(words, widths, strict=True)]
    head, *body = (
        [text.ljust(width) if left else text.rjust(width) for text, left, width in zip(row, words, widths, strict=True)]
        for row in rows
    )
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *body])


def markdown_remarks(section: Section) -> list[str]:
    """What stands under a table: a paragraph for each mark, and a list."""
    notes = [f"{mark} {markdown_text(note)}." for note, mark in section.table.marks.items()]
    return [*notes, "\n".join(f"- {markdown_text(remark)}" for remark in section.remarks)]


def _hinted(entry: Entry) -> str:
    return f"{entry.text} (paper: {entry.hint})" if entry.hint else entry.text


def _markdown_entry(entry: Entry, marks: dict[str, str]) -> str:
    text = markdown_text(_hinted(entry)) + marks.get(entry.note, "")
    text = f"**{text}**" if entry.best else f"*{text}*" if entry.tied else text
    return f"{text} \\[{entry.published}\\]" if entry.published else text


def markdown_text(text: str) -> str:
    """Text on one line, with the characters that mean something to Markdown written out."""
    text = re.sub(r"([\\`*_\[\]|<>#&~$])", r"\\\1", _on_one_line(text))
    return re.sub(r"^(\d*)([-+.)])(?=[-\s]|$)", r"\1\\\2", text)  # it would begin a list, or be a rule


def latex(chapter: Chapter) -> str:
    """Tables for a paper, no wider than its lines; they need the packages array, booktabs, graphicx and longtable."""
    facts = [f"{fact.name}: {'; '.join(fact.statements)}" for fact in chapter.facts]
    comments = [f"% {_on_one_line(text)}" for text in (chapter.title, *facts)]
    return "\n".join([*comments, *(_latex_table(section, chapter) for section in chapter.sections)]) + "\n"


def _latex_table(section: Section, chapter: Chapter) -> str:
    """One that floats, or goes over pages if it holds sentences."""
    marks = section.table.marks
    said = [text for text in (section.note, chapter.basis) if text]
    below = [*said, *(f"{mark} {note}." for note, mark in marks.items()), *section.remarks]
    title = rf"\caption{{{latex_text(_sentences(chapter.title, _heading(section)))}}}"
    rows = [" & ".join(_latex_entry(one, marks) for one in row.entries) + r" \\" for row in section.table.rows]
    lines = [r"\toprule", *_latex_head(section.table), *rows, r"\bottomrule"]
    made = _latex_pages if _is_long(section.table) else _latex_float
    notes = [rf"{{\footnotesize\noindent {latex_text(text)}\par}}" for text in below]
    return "\n".join(["", *made(section.table, title, lines), *notes])


def _latex_head(table: Table) -> list[str]:
    paper = [latex_text(f"paper {entry.hint}" if entry.hint else "") for entry in table.head]
    hints = [r"\scriptsize " + r" & \scriptsize ".join(paper) + r" \\"] if any(paper) else []
    return [" & ".join(latex_text(entry.value) for entry in table.head) + r" \\", *hints, r"\midrule"]


def _latex_float(table: Table, title: str, lines: list[str]) -> list[str]:
    """No wider than a line. Words after the first column may be many: they are set in lines."""
    columns = ["l", *(r"p{.2\linewidth}" if place in table.words else "r" for place in range(1, len(table.head)))]
    width = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    opening = [r"\begin{table}", r"\centering\small", title, width, rf"\begin{{tabular}}{{{''.join(columns)}}}"]
    return [*opening, *lines, r"\end{tabular}}", r"\end{table}"]


def _latex_pages(table: Table, title: str, lines: list[str]) -> list[str]:
    """Over several pages; each column has a share of the line by how long its texts are."""
    columns = zip(*([table.head, *(row.entries for row in table.rows)]), strict=True)
    lengths = [max(SHORTEST, *(min(LONGEST, len(entry.text)) for entry in column)) for column in columns]
    shares = "".join(
        rf">{{\raggedright\arraybackslash}}p{{{0.9 * one / sum(lengths):.3f}\linewidth}}" for one in lengths
    )
    opening = [r"{\footnotesize", rf"\begin{{longtable}}{{{shares}}}", rf"{title} \\"]
    return [*opening, *lines, r"\end{longtable}", "}"]


def _is_long(table: Table) -> bool:
    """Whether it holds sentences after its first column."""
    return any(len(row.entries[place].text) > LONGEST for row in table.rows for place in table.words if place)


def _latex_entry(entry: Entry, marks: dict[str, str]) -> str:
    text = latex_text(_hinted(entry) + marks.get(entry.note, ""))
    text = rf"\textbf{{{text}}}" if entry.best else rf"\textit{{{text}}}" if entry.tied else text
    return rf"{text} {{\scriptsize [{entry.published}]}}" if entry.published else text


def latex_text(text: str) -> str:
    """Text on one line, with the characters that mean something to LaTeX written out."""
    return "".join(_LATEX.get(character, character) for character in _on_one_line(text))


def _on_one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "?", " ".join(text.split()))  # such as the colours of an error message
