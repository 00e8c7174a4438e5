"""Best responses with the cells that they come from, so that their numbers open these."""

from collections.abc import Sequence
from dataclasses import replace

from analysis.reading.conditions import PLAIN, ConditionResult
from analysis.writing.sections import Entry, Row, Section
from bench.store import Record

BEST = "-best-response"
"""How the file of a section of best responses is called."""
OR = " or "
"""What stands between attacks that share a best response."""
OPENING = ("accuracy", "recovered", "of the best on clean")
"""Columns whose numbers are those of the attack named before them."""


def condition_of(row: Record, attack: str, conditions: Sequence[ConditionResult]) -> ConditionResult | None:
    """Where a method meets an attack, by its title; of several that share a response the first."""
    return next(
        (
            one
            for one in conditions
            if one.attack.title == attack.split(OR)[0]
            and all(one.label[part] == row[part] for part in ("dataset", "model", "method"))
        ),
        None,
    )


def linked(section: Section, conditions: Sequence[ConditionResult]) -> Section:
    """The same; a section of another study as it is."""
    if section.file != BEST:
        return section
    table = section.table
    titles = [entry.value for entry in table.head]
    pairs = zip(table.rows, section.numbers, strict=True)
    rows = [Row(_entries(row, titles, number, conditions), row.control) for row, number in pairs]
    return replace(section, table=replace(table, rows=rows))


def _entries(row: Row, titles: list[str], number: Record, conditions: Sequence[ConditionResult]) -> list[Entry]:
    found, attack = [], ""
    for title, entry in zip(titles, row.entries, strict=True):
        attack = entry.value if title.startswith("best attack") else attack
        named = PLAIN if title == "no attack" else attack if title in OPENING else ""
        one = condition_of(number, named, conditions) if named else None
        found.append(replace(entry, keys=one.keys) if one else entry)
    return found
