"""What changed between two results folders, as tables and as numbers."""

from collections.abc import Sequence
from dataclasses import replace

from pandas import DataFrame

from analysis.comparison import Change
from analysis.numbers.estimates import Estimate, rounded
from analysis.reading.conditions import ACCURACY
from analysis.writing.formats import csv_value, markdown_remarks, markdown_table, markdown_text
from analysis.writing.sections import MISSING, Entry, Section, plain_table, share_entry
from bench.store import Record
from bench.words import counted

NOTE = (
    "± is half of the 95 % Student interval of the mean: over noises or over victim seeds, whichever is wider, or over "
    "victims of one noise."
)


def tables(changes: Sequence[Change], names: tuple[str, str], tolerance: float) -> list[Section]:
    """A section for each data set, victim and scale with changes, the greatest concern first.

    `names` are those of the two folders. Accuracies are in percent, their differences in points. At the end are counted
    the conditions that are the same wherever both folders have cells; `csv` has each.
    """
    places: dict[str, list[Change]] = {}
    for change in changes:
        if change.different or change.first_only or change.second_only:
            label = change.label
            where = [label["dataset"], label["model"], f"scale {label['scale']}" if label["scale"] else ""]
            places.setdefault(", ".join(filter(None, where)), []).append(change)
    for own in places.values():
        own.sort(key=lambda one: (not one.moved(tolerance), not one.different))
    head = ["method", "attack", *names, "difference", "cells"]
    rows = {
        place: [*(_row(one, names, tolerance) for one in own if _is_told(one)), *_others(own, names)]
        for place, own in places.items()
    }
    return [Section("Changes", plain_table(head, own, words=(0, 1, 5)), context=place) for place, own in rows.items()]


def lines(changes: Sequence[Change], names: tuple[str, str], tolerance: float) -> list[str]:
    """How much is in one folder only, how much in both, and how much of that has moved."""
    pairs = {one["key"]: (one, other) for change in changes for one, other in change.pairs}
    alone = [{one["key"] for change in changes for one in change.first_only}]
    alone.append({one["key"] for change in changes for one in change.second_only})
    apart = {one["key"] for change in changes for one, _ in change.different}
    met = [change for change in changes if change.pairs]
    moved = sum(change.moved(tolerance) for change in met)
    unit = " or percent" if any(change.quantity != ACCURACY for change in met) else ""
    sure = any(value and value.half_width is not None for one in changes for value in (one.first, one.second))
    return [
        *([NOTE] if sure else []),
        f"{counted(len(pairs), 'cell')} in both, {len(apart):,} with another result; "
        + ", ".join(f"{len(own):,} only in {name}" for own, name in zip(alone, names, strict=True)),
        f"{moved:,} of {counted(len(met), 'condition')} moved by more than {tolerance:g} points{unit}"
        if met
        else "the two have no cell in common: nothing was compared",
    ]


def markdown(changes: Sequence[Change], names: tuple[str, str], tolerance: float) -> str:
    """The tables, then how much there is of everything."""
    parts = []
    for section in tables(changes, names, tolerance):
        parts += [f"**{markdown_text(section.context)}**", markdown_table(section.table), *markdown_remarks(section)]
    return "\n\n".join([*filter(None, parts), *map(markdown_text, lines(changes, names, tolerance))]) + "\n"


def csv(changes: Sequence[Change], tolerance: float) -> str:
    """A row for each number of each experiment, changed or not, as recorded: accuracies are shares in [0, 1]."""
    table = DataFrame([_numbers(change, tolerance) for change in changes], columns=list(COLUMNS))
    return str(table.map(csv_value).to_csv(index=False, lineterminator="\n"))


COLUMNS = (
    *("dataset", "model", "method", "attack", "scale", "quantity", "first", "first_half_width", "second"),
    *("second_half_width", "difference", "difference_half_width", "cells_in_both", "first_only", "second_only"),
    *("failed_in_one", "moved", "notes"),
)


def _numbers(change: Change, tolerance: float) -> Record:
    estimates = {"first": change.first, "second": change.second, "difference": change.difference}
    numbers = {name: value and rounded(value.mean) for name, value in estimates.items()}
    widths = {f"{name}_half_width": value and rounded(value.half_width) for name, value in estimates.items()}
    counts = {"first_only": len(change.first_only), "second_only": len(change.second_only)}
    return {
        **change.label,
        "quantity": change.quantity,
        **numbers,
        **widths,
        "cells_in_both": len(change.pairs),
        **counts,
        "failed_in_one": len(change.turned),
        "moved": change.moved(tolerance),
        "notes": "; ".join(change.notes),
    }


def _row(change: Change, names: tuple[str, str], tolerance: float) -> list[Entry | str]:
    attack = change.label["attack"]
    what = attack if change.quantity == ACCURACY else f"{attack}: {change.quantity}"
    values = [_entry(value, change.quantity) for value in (change.first, change.second)]
    difference = _difference(change)
    note = "; ".join(change.notes)
    return [
        change.label["method"],
        what,
        *values,
        replace(difference, best=change.moved(tolerance), note=note),
        _cells(change, names) + (": moved" if change.moved(tolerance) else ""),
    ]


def _is_told(change: Change) -> bool:
    """Whether it has a row: its numbers differ, or the folders have no cell of it in common."""
    return bool(change.different or (not change.pairs and change.first_only and change.second_only))


def _others(changes: Sequence[Change], names: tuple[str, str]) -> list[list[Entry | str]]:
    """A row for each folder that has cells of other conditions which the other one lacks: how many of both."""
    rows: list[list[Entry | str]] = []
    for side, name in enumerate(names):
        own = [(one.first_only, one.second_only)[side] for one in changes if not _is_told(one)]
        conditions = {tuple(sorted(record["key"] for record in records)) for records in own if records}
        if conditions:
            cells = sum(map(len, conditions))
            rows.append(
                [counted(len(conditions), "other condition"), "", *[Entry(MISSING)] * 3, f"{cells:,} only in {name}"]
            )
    return rows


def _entry(value: Estimate | None, quantity: str) -> Entry:
    if value is None or quantity == ACCURACY:
        return share_entry(value.mean, value.half_width) if value else Entry(MISSING)
    return Entry(f"{value.mean:.4g}", "" if value.half_width is None else f"{value.half_width:.2g}")


def _difference(change: Change) -> Entry:
    value = change.difference
    if value is None:
        return Entry(MISSING)
    if change.quantity != ACCURACY:
        return Entry(f"{value.mean:+.4g}", "" if value.half_width is None else f"{value.half_width:.2g}")
    return Entry(f"{100 * value.mean:+.2f}", "" if value.half_width is None else f"{100 * value.half_width:.2f}")


def _cells(change: Change, names: tuple[str, str]) -> str:
    """How many cells are in both, in one only, and failed in one only."""
    failed = [sum("result" not in pair[side] for pair in change.turned) for side in (0, 1)]
    alone = [len(change.first_only), len(change.second_only)]
    counts = [f"{len(change.pairs)} in both"] if change.pairs else []
    counts += [f"{count} only in {name}" for count, name in zip(alone, names, strict=True) if count]
    return ", ".join(
        [*counts, *(f"{count} failed in {name}" for count, name in zip(failed, names, strict=True) if count)]
    )
