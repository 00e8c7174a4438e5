"""Tables of accuracies, rows the methods and columns the attacks; the only place that knows percent."""

from dataclasses import dataclass, field, replace
from math import isnan

from analysis.conditions import Condition, Results
from analysis.labels import paper_hint

MARKS = "†‡§¶‖"
MISSING, FAILED = "\N{EN DASH}", "failed"


@dataclass(frozen=True)
class Heading:
    """The head of a row or a column."""

    label: str
    """As the plan has it."""
    title: str
    paper: str = ""
    """The paper's own settings, where they differ."""
    control: bool = False


@dataclass(frozen=True)
class Entry:
    """One place of a table, in percent with one decimal."""

    value: str
    half_width: str = ""
    published: str = ""
    note: str = ""
    """What is incomplete about it."""
    best: bool = False

    @property
    def text(self) -> str:
        """The value with its interval: `54.3 ± 0.8`."""
        return f"{self.value} ± {self.half_width}" if self.half_width else self.value


@dataclass(frozen=True)
class Table:
    """One data set, one model."""

    dataset: str
    model: str
    columns: list[Heading]
    rows: list[tuple[Heading, list[Entry]]]
    conditions: list[Condition] = field(repr=False)

    @property
    def marks(self) -> dict[str, str]:
        """A mark for each note, in the order of their appearance."""
        notes = dict.fromkeys(entry.note for _, entries in self.rows for entry in entries if entry.note)
        return {note: MARKS[i % len(MARKS)] * (1 + i // len(MARKS)) for i, note in enumerate(notes)}

    @property
    def has_intervals(self) -> bool:
        """Whether any entry has an interval."""
        return any(entry.half_width for _, entries in self.rows for entry in entries)

    @property
    def is_empty(self) -> bool:
        """Whether no condition has a result."""
        return not any(condition.finished for condition in self.conditions)


def tables_of(results: Results, quantity: str = "final_accuracy") -> list[Table]:
    """One table for each data set and model, in the plan's order. Published values stand beside final accuracies."""
    groups: dict[tuple[str, str], list[Condition]] = {}
    for condition in results.conditions:
        groups.setdefault((condition.label["dataset"], condition.label["model"]), []).append(condition)
    return [_table(*place, conditions, quantity) for place, conditions in groups.items()]


def _table(dataset: str, model: str, conditions: list[Condition], quantity: str) -> Table:
    places = {(c.label["method"], c.label["attack"]): c for c in conditions}
    attacks = {c.label["attack"]: attack_heading(c) for c in reversed(conditions)}
    methods = {c.label["method"]: method_heading(c) for c in conditions}
    columns = list(dict.fromkeys(c.label["attack"] for c in conditions))
    best = {attack: _best([c for c in conditions if c.label["attack"] == attack], quantity) for attack in columns}
    rows = [
        (heading, [_entry(places.get((method, attack)), quantity, best[attack]) for attack in columns])
        for method, heading in methods.items()
    ]
    return Table(dataset, model, [attacks[attack] for attack in columns], rows, conditions)


def recovered_tables(results: Results) -> list[Table]:
    """The shares recovered, of those tables that have any; clean images have all, by definition, and no row."""
    protected = [condition for condition in results.conditions if not condition.is_clean]
    tables = tables_of(replace(results, conditions=protected), "recovered")
    return [table for table in tables if any(condition.estimates["recovered"] for condition in table.conditions)]


def attack_heading(condition: Condition) -> Heading:
    """The column of a condition."""
    label, title = condition.label["attack"], condition.titles["attack"]
    title += ", to the end" if condition.held_out else ""
    return Heading(label, title, paper_hint(label, condition.paper["attacks"]))


def method_heading(condition: Condition) -> Heading:
    """The row of a condition."""
    label, paper = condition.label["method"], condition.paper["method"]
    return Heading(label, condition.titles["method"], paper_hint(label, [paper]), condition.control)


def _best(column: list[Condition], quantity: str) -> float | None:
    """The lowest mean of a protected row, where it is below the unprotected one; a control is never the best."""
    protected = [value.mean for c in column if not c.control and (value := c.estimates[quantity])]
    unprotected = [value.mean for c in column if c.is_clean and (value := c.estimates[quantity])]
    lowest = min(protected, default=1.0)
    return lowest if lowest < min(unprotected, default=1.0) else None


def _entry(condition: Condition | None, quantity: str, best: float | None) -> Entry:
    if condition is None:
        return Entry("")
    if condition.declined:
        return Entry("does not apply", note=condition.declined)
    first = condition.published[0] if condition.published and quantity == "final_accuracy" else None
    published = percent(first.accuracy) if first else ""
    value = condition.estimates[quantity]
    if value is None:
        text = FAILED if condition.failed else MISSING
        return Entry(text, published=published, note=_note(condition) if condition.failed else "")
    half_width = percent(value.half_width) if value.half_width is not None else ""
    is_best = not condition.control and value.mean == best
    return Entry(percent(value.mean), half_width, published, _note(condition), is_best)


def _note(condition: Condition) -> str:
    """What of a condition is not finished: `1 of 3 seeds finished, 2 missing; no interval`; empty where all are."""
    if condition.planned in (condition.finished, condition.failed):
        return ""
    counts = [f"{condition.finished} of {condition.planned} seeds finished"]
    counts += [f"{condition.failed} failed"] if condition.failed else []
    counts += [f"{condition.missing} missing"] if condition.missing else []
    return ", ".join(counts) + ("; no interval" if condition.finished == 1 else "")


def percent(share: float) -> str:
    """A share in [0, 1] as percent with one decimal."""
    return f"{round(100 * share, 1) + 0.0:.1f}"  # a little less than nothing is 0.0, not -0.0


def with_interval(share: float, half_width: float | None) -> str:
    """A share with half of its interval in percent, `54.3 ± 0.8`; alone where there is none (None or NaN)."""
    return percent(share) + ("" if half_width is None or isnan(half_width) else f" ± {percent(half_width)}")
