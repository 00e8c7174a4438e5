"""Tables of the report page as HTML."""

from collections.abc import Container
from html import escape

from analysis.tables import FAILED, MISSING, Entry, Heading, Table


def accuracy_table(table: Table, quantity: str, context: str) -> str:
    """Methods against attacks; `quantity` and `context` are the caption's strong and quiet part."""
    head = "".join(f"<th scope='col'>{_heading(column)}</th>" for column in table.columns)
    rows = "".join(
        f"<tr{' class=control' if heading.control else ''}><th scope='row'>{_heading(heading)}</th>"
        f"{''.join(_entry(entry, table) for entry in entries)}</tr>"
        for heading, entries in table.rows
    )
    caption = f"<strong>{escape(quantity)}</strong> {escape(context)}"
    notes = "".join(f"<li><sup>{mark}</sup> {escape(note)}</li>" for note, mark in table.marks.items())
    return (
        scrolled("accuracy", caption, f"<th scope='col'>method</th>{head}", rows)
        + (f"<ul class='marks'>{notes}</ul>" if notes else "")
    )  # fmt: skip


def plain_table(caption: str, rows: list[list[str]], words: Container[int] = ()) -> str:
    """Text and numbers, the first row the headings; the columns `words` hold words, as the first one always does."""

    def kind(column: int) -> str:
        return " class='words'" if column in words else ""

    head = "".join(f"<th scope='col'{kind(column)}>{escape(text)}</th>" for column, text in enumerate(rows[0]))
    body = "".join(
        f"<tr><th scope='row'>{escape(first)}</th>"
        + "".join(f"<td{kind(column)}>{escape(text)}</td>" for column, text in enumerate(rest, start=1))
        + "</tr>"
        for first, *rest in rows[1:]
    )
    return scrolled("plain", f"<strong>{escape(caption)}</strong>", head, body)


def scrolled(kind: str, caption: str, head: str, body: str) -> str:
    """A table that scrolls sideways where the screen is narrow; the arguments are HTML."""
    return (
        f"<div class='scroll' tabindex='0'><table class='{kind}'><caption>{caption}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _heading(heading: Heading) -> str:
    paper = f"<small>paper {escape(heading.paper)}</small>" if heading.paper else ""
    return escape(heading.title) + paper


def _entry(entry: Entry, table: Table) -> str:
    value = f"<strong>{entry.value}</strong>" if entry.best else entry.value
    mark = f"<sup>{table.marks[entry.note]}</sup>" if entry.note else ""
    interval = f"± {entry.half_width}" if entry.half_width else ""
    half_width = f"<span class='half'>{interval}</span>" if table.has_intervals else ""
    space = "<span class='half'></span>" if table.has_intervals else ""
    published = f"<small>[{entry.published}]{space}</small>" if entry.published else ""
    kind = " class='empty'" if entry.value in ("", MISSING, FAILED) else ""
    return f"<td{kind}>{value}{half_width}{mark}{published}</td>"
