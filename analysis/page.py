"""The report as one HTML page that needs nothing else: no script, no request."""

import re
import shlex
from html import escape
from pathlib import Path

from analysis.best_response import NOTE as RESPONSE_NOTE
from analysis.best_response import WORDS as RESPONSE_WORDS
from analysis.best_response import remarks, response_table
from analysis.conditions import Results
from analysis.costs import attack_costs, noise_costs
from analysis.early_stopping import NOTE as STOPPING_NOTE
from analysis.early_stopping import stopping_table
from analysis.gains import NOTE as GAINED_NOTE
from analysis.gains import gained_tables, named_controls
from analysis.labels import paper_title
from analysis.page_style import STYLE
from analysis.page_tables import accuracy_table, plain_table
from analysis.provenance import CELLS, Facts, progress, reading_line, seeds_line, what_was_run, where_it_was_run
from analysis.renderers import files_of
from analysis.tables import Table, recovered_tables, tables_of

TITLE = "Unlearnable examples: which protect, against whom, at what cost"
EMPTY = "no plan in results/plans yet: run a grid first"
RECOVERED = "Recovered,\u00a0% of what the same attack reaches on clean images"
WORDS = (
    "A cell is one training of a victim, from its own seed. none is plain training, without any attack. Rows in grey "
    "are controls: clean images and random noise. An attack that assumes nothing needs the released images and "
    "their labels only. Wide tables scroll sideways."
)
LONG = 40
"""A table of early stopping with more rows is folded away."""
ASSIGNMENT = re.compile(r"(?:([\w.*-]+): )?([\w.*-]+=.*)")
Figures = dict[str, str]
"""Figures of a plan by their file names."""


def page(plans: list[tuple[Results, Figures]], root: Path) -> str:
    """The whole page; `root` is the results folder, for the commands it names."""
    content = "\n".join(_plan(results, figures, root) for results, figures in plans) or (
        f"<section><p class='lead'>There is {escape(EMPTY)}, for example</p>"
        "<pre><code>python -m bench run grids/table2.yaml --scale small</code></pre></section>"
    )
    question, _, rest = TITLE.partition(": ")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(TITLE)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{escape(question)}<span>{escape(rest)}</span></h1>"
        f"{_contents([results for results, _ in plans])}<p class='note'>{escape(WORDS)}</p></header>\n"
        f"<main>\n{content}\n</main>\n</body>\n</html>\n"
    )


def _contents(plans: list[Results]) -> str:
    if len(plans) < 2:
        return ""
    items = (
        f"<li><a href='#{escape(results.name)}'>{escape(_heading(results)[0])}</a> "
        f"<small>{escape(_short(results))}: {progress(results)}</small></li>"
        for results in plans
    )
    return f"<nav aria-label='Plans'><ul>{''.join(items)}</ul></nav>"


def _heading(results: Results) -> tuple[str, str]:
    """The title of a plan, up to its colon and beyond."""
    heading, _, rest = results.plan["title"].partition(": ")
    return heading, rest


def _short(results: Results) -> str:
    changed = ", with changed settings" if results.plan["set"] else ""
    return f"{results.plan['grid']} at scale {results.plan['scale']['name']}{changed}"


def _plan(results: Results, figures: Figures, root: Path) -> str:
    """One plan from its heading to its sources."""
    plan = results.plan
    heading, rest = _heading(results)
    reading = reading_line(results, sources="below")
    parts = [
        f"<section id='{escape(results.name)}'>",
        f"<p class='kicker'>{escape(_short(results))}</p>",
        f"<h2>{escape(heading)}{f'<span>{escape(rest)}</span>' if rest else ''}</h2>",
        f"<p class='lead'>{escape(plan['about'])}</p>" if plan["about"] else "",
        _bar(results),
        _facts([*what_was_run(results), *where_it_was_run(results.records)]),
        f"<p class='note'>{escape(reading)}</p>" if reading else "",
        _responses(results),
        *(_accuracies(table, results, list(figures.values())[i]) for i, table in enumerate(tables_of(results))),
        *(accuracy_table(table, RECOVERED, _place(table, results)) for table in recovered_tables(results)),
        _gained(results),
        _failures(results, root),
        _early_stopping(results),
        _details("Peak accuracy", _peaks(results)),
        _details("Cost", _costs(results)),
        _details("Published values and their sources", _published(results)),
        _files(results, figures),
        "</section>",
    ]
    return "\n".join(part for part in parts if part)


def _bar(results: Results) -> str:
    """How much is finished, as a image and as words."""
    counts = progress(results)
    share = 100 / max(counts.planned, 1)
    return (
        f"<p class='progress'><span class='bar' aria-hidden='true'><i style='width:{share * counts.finished:.2f}%'></i>"
        f"<b style='width:{share * counts.failed:.2f}%'></b></span>{counts}</p>"
    )


def _facts(facts: Facts) -> str:
    """The box that says what was run, and where; assignments are set as code."""
    rows = []
    for name, values in facts:
        if name == CELLS:
            continue  # the bar above says it
        assignments = [ASSIGNMENT.fullmatch(value) for value in values]
        if all(assignments):
            text = " ".join(f"<code>{_assignment(match)}</code>" for match in assignments if match)
        else:
            text = "<br>".join(escape(value) for value in values)
        rows.append(f"<dt>{escape(name)}</dt><dd>{text}</dd>")
    return f"<dl class='facts'>{''.join(rows)}</dl>"


def _assignment(match: re.Match[str]) -> str:
    group = f"<span>{escape(match[1])}</span> " if match[1] else ""
    return group + escape(match[2]).replace(", ", " ")


def _accuracies(table: Table, results: Results, figure: str) -> str:
    """Final accuracies as table and figure."""
    markup = accuracy_table(table, "Final accuracy on clean test images,\u00a0%", _context(table, results))
    if not figure:
        return markup
    text = f"Accuracy of each method against each attack; {table.dataset}, {table.model}."
    inline = re.sub(r' xmlns(:\w+)?="[^"]*"', "", figure)
    return f"{markup}<div class='scroll'><figure role='img' aria-label='{escape(text)}'>{inline}</figure></div>"


def _context(table: Table, results: Results) -> str:
    return f"{_place(table, results)} · {seeds_line(results)}"


def _place(table: Table, results: Results) -> str:
    return " · ".join([table.dataset, table.model, f"scale {results.plan['scale']['name']}"])


def _details(heading: str, content: str) -> str:
    return f"<details><summary>{escape(heading)}</summary>{content}</details>" if content else ""


def _peaks(results: Results) -> str:
    tables = [table for table in tables_of(results, "peak_accuracy") if not table.is_empty]
    if not tables:
        return ""
    warning = (
        "Oracle: best look at the test set. Nobody who trains can choose that moment; "
        "it shows what early stopping could win at most."
    )
    shown = (accuracy_table(table, "Peak accuracy (oracle),\u00a0%", _context(table, results)) for table in tables)
    return f"<p class='note'>{warning}</p>{''.join(shown)}"


def _gained(results: Results) -> str:
    tables = gained_tables(results)
    if not tables:
        return ""
    shown = "".join(
        accuracy_table(table, "Gained over the control that the attack names, points", _context(table, results))
        for table in tables
    )
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in named_controls(results))
    return f"{shown}<ul class='marks'>{items}</ul><p class='note'>{GAINED_NOTE}</p>"


def _early_stopping(results: Results) -> str:
    rows = stopping_table(results)
    content = f"{plain_table('Early stopping', rows, range(3))}<p class='note'>{STOPPING_NOTE}</p>" if rows else ""
    return content if len(rows) <= LONG else _details("Early stopping", content)


def _responses(results: Results) -> str:
    rows = response_table(results)
    if not rows:
        return ""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in remarks(results))
    table = plain_table("Best response,\u00a0%", rows, RESPONSE_WORDS)
    return table + (f"<ul class='marks'>{items}</ul>" if items else "") + f"<p class='note'>{RESPONSE_NOTE}</p>"


def _costs(results: Results) -> str:
    noise, training = noise_costs(results), attack_costs(results)
    if len(training) == 1:
        return ""
    return (
        "<p class='note'>One pass is forward and backward of 128 images; seconds depend on the machine.</p>"
        f"{plain_table('Noise: each counts once', noise)}"
        f"{plain_table('Training: mean over all methods and seeds', training)}"
    )


def _published(results: Results) -> str:
    rows = []
    for condition in results.conditions:
        paper = condition.paper
        method = paper_title(condition.label["method"], [paper["method"]], results.plan["titles"])
        attack = paper_title(condition.label["attack"], paper["attacks"], results.plan["titles"])
        for value in condition.published:
            remark = "; ".join(text for text in (value.note, value.parameters, value.remark) if text)
            where = f"{value.source}, {value.place}"
            name = f"{method}, {attack}, {paper['dataset']}, {paper['model']}"
            rows.append([name, where, remark, value.confidence, value.digits])
    if not rows:
        return ""
    headings = ["condition", "source", "remark", "reading", "%"]
    return plain_table("The first of each condition stands in the table above", [headings, *rows], range(4))


def _failures(results: Results, root: Path) -> str:
    """Every error with the cells that failed by it, and the commands that show the rest."""
    failed = [cell for cell in results.cells if cell["status"] == "failed"]
    if not failed:
        return ""
    elsewhere = "" if root == Path("results") else f" --results {shlex.quote(str(root))}"
    items = ""
    for error in dict.fromkeys(cell["error"] for cell in failed):
        cells = "".join(
            f"<li>{escape(results.title(cell['method']))}, {escape(results.title(cell['attack']))} "
            f"<code>python -m bench show {escape(cell['key'] + elsewhere)}</code></li>"
            for cell in failed
            if cell["error"] == error
        )
        items += f"<li><strong>{escape(error)}</strong><ul>{cells}</ul></li>"
    return f"<div class='failures'><h3>Failed cells</h3><ul>{items}</ul></div>"


def _files(results: Results, figures: Figures) -> str:
    names = [f"{results.name}{ending}" for ending in files_of(results)] + [n for n, f in figures.items() if f]
    links = " · ".join(f"<a href='{escape(name)}'>{escape(name)}</a>" for name in names)
    return f"<p class='files'>The same as files: {links}</p>"
