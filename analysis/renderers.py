"""Tables as Markdown, LaTeX and CSV."""

import re
from collections.abc import Container

from pandas import DataFrame

from analysis import best_response, early_stopping, gains
from analysis.conditions import Results
from analysis.provenance import (
    changed_by_user,
    progress,
    reading_line,
    scale_line,
    seeds_line,
    what_was_run,
    where_it_was_run,
)
from analysis.tables import Entry, Heading, Table, recovered_tables, tables_of
from analysis.tidy import tidy

SOURCES = "on the report page"
RECOVERED = "Accuracy in percent of what the same attack reaches on clean images, over the same seeds."
_LATEX = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "\N{EN DASH}": "--",
    "†": r"$^{\dagger}$",
    "‡": r"$^{\ddagger}$",
    "§": r"$^{\S}$",
    "¶": r"$^{\P}$",
    "‖": r"$^{\|}$",
}


def files_of(results: Results) -> dict[str, str]:
    """Everything written of a plan besides figures, by how the file's name goes on after that of the plan."""
    files = {".md": markdown(results), ".csv": csv(results), ".tex": latex(results)}
    more = {
        "-early-stopping.csv": early_stopping.tidy_stopping(results),
        "-best-response.csv": DataFrame(best_response.responses(results)),
    }
    return files | {ending: _csv(rows) for ending, rows in more.items() if not rows.empty}


def csv(results: Results) -> str:
    """All conditions with all their numbers, as recorded: shares in [0, 1], radii in [0, 1] units, seconds."""
    return _csv(tidy(results))


def _csv(rows: DataFrame) -> str:
    return str(rows.to_csv(index=False, lineterminator="\n"))


def markdown(results: Results) -> str:
    """One document for a plan: what was run, then a table for each data set and model."""
    plan = results.plan
    facts = [*what_was_run(results), *where_it_was_run(results.records)]
    parts = [f"# {plan['title']}", plan["about"], "\n".join(f"- **{name}:** {'; '.join(v)}" for name, v in facts)]
    for table in tables_of(results):
        parts += [f"## {_subject(table, results)}", "Final accuracy on clean test images, in percent."]
        parts += [_markdown_table(table), *(f"{mark} {note}." for note, mark in table.marks.items())]
    for table in recovered_tables(results):
        parts += [f"## Recovered: {_subject(table, results)}", RECOVERED, _markdown_table(table)]
        parts += [f"{mark} {note}." for note, mark in table.marks.items()]
    for table in gains.gained_tables(results):
        parts += [f"## Gained: {_subject(table, results)}", gains.NOTE, _markdown_table(table)]
        parts += [f"{mark} {note}." for note, mark in table.marks.items()]
        parts += ["\n".join(f"- {_escaped(sentence)}" for sentence in gains.named_controls(results))]
    if rows := best_response.response_table(results):
        parts += ["## Best response", best_response.NOTE, _markdown_rows(_all_escaped(rows), best_response.WORDS)]
        parts += map(_escaped, best_response.remarks(results))
    if rows := early_stopping.stopping_table(results):
        parts += ["## Early stopping", early_stopping.NOTE, _markdown_rows(_all_escaped(rows), range(3))]
    return "\n\n".join(part for part in [*parts, _escaped(reading_line(results, sources=SOURCES))] if part) + "\n"


def _subject(table: Table, results: Results) -> str:
    """Data set, model and scale: what stands over every table."""
    return f"{table.dataset}, {table.model}, scale {results.plan['scale']['name']}"


def _markdown_table(table: Table) -> str:
    rows = [["method", *(_heading(column) for column in table.columns)]]
    for heading, entries in table.rows:
        rows.append([_heading(heading), *(_markdown_entry(entry, table.marks) for entry in entries)])
    return _markdown_rows(rows)


def _markdown_rows(rows: list[list[str]], words: Container[int] = (0,)) -> str:
    """The first row is the heading, the columns `words` hold words and the others numbers."""
    head, *body = rows
    rule = ["---" if column in words else "---:" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *body])


def _heading(heading: Heading) -> str:
    return _escaped(f"{heading.title} (paper: {heading.paper})" if heading.paper else heading.title)


def _markdown_entry(entry: Entry, marks: dict[str, str]) -> str:
    text = entry.text + marks.get(entry.note, "")
    text = f"**{text}**" if entry.best else text
    return f"{text} \\[{entry.published}\\]" if entry.published else text


def _all_escaped(rows: list[list[str]]) -> list[list[str]]:
    return [[_escaped(text) for text in row] for row in rows]


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]|<>])", r"\\\1", text)


def latex(results: Results) -> str:
    """Tables for a paper; they need the package booktabs."""
    facts = [*what_was_run(results), *where_it_was_run(results.records)]
    comments = [f"% {results.plan['title']}", *(f"% {name}: {'; '.join(values)}" for name, values in facts)]
    return "\n".join([*comments, *(_latex_table(table, results) for table in tables_of(results))]) + "\n"


def _latex_table(table: Table, results: Results) -> str:
    marks = table.marks
    head = ["method", *(latex_text(column.title) for column in table.columns)]
    paper = ["", *(latex_text(f"paper {column.paper}" if column.paper else "") for column in table.columns)]
    rows = [
        " & ".join([_latex_heading(heading), *(_latex_entry(entry, marks) for entry in entries)]) + r" \\"
        for heading, entries in table.rows
    ]
    return "\n".join(
        [
            "",
            r"\begin{table}",
            r"\centering\small",
            rf"\caption{{{latex_text(_caption(table, results))}}}",
            rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
            r"\toprule",
            " & ".join(head) + r" \\",
            *([r"\scriptsize " + r" & \scriptsize ".join(paper) + r" \\"] if any(paper) else []),
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            *(rf"\par {latex_text(f'{mark} {note}.')}" for note, mark in marks.items()),
            r"\end{table}",
        ]
    )


def _caption(table: Table, results: Results) -> str:
    """What makes a table readable away from its page."""
    changed = changed_by_user(results)
    sentences = [
        results.plan["title"],
        f"Final accuracy on clean test images in percent; data set {table.dataset}, model {table.model}",
        f"Scale {scale_line(results)}",
        f"Set by the user: {', '.join(changed)}" if changed else "",
        seeds_line(results),
        str(progress(results)),
        reading_line(results, sources=SOURCES),
    ]
    return " ".join(f"{sentence.rstrip('.')}." for sentence in sentences if sentence)


def _latex_heading(heading: Heading) -> str:
    return latex_text(f"{heading.title} (paper: {heading.paper})" if heading.paper else heading.title)


def _latex_entry(entry: Entry, marks: dict[str, str]) -> str:
    text = latex_text(entry.text + marks.get(entry.note, ""))
    text = rf"\textbf{{{text}}}" if entry.best else text
    return rf"{text} {{\scriptsize [{entry.published}]}}" if entry.published else text


def latex_text(text: str) -> str:
    """Text with the characters that mean something to LaTeX written out."""
    return "".join(_LATEX.get(character, character) for character in text)
