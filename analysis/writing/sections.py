"""What a report shows: sections with a table each, which every format renders. The only place that knows percent."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.core.settings import digest
from bench.store import Record

MARKS = "†‡§¶‖"
MISSING, FAILED = "\N{EN DASH}", "failed"
LONG = 40
"""Rows of a table that is folded away if it is not what a reader came for."""
LONGEST_NAME = 100
"""Letters that labels may have in the name of a file."""


@dataclass(frozen=True)
class Entry:
    """One place of a table: words, or a number with what belongs to it."""

    value: str
    half_width: str = ""
    published: str = ""
    hint: str = ""
    """Of a heading: what the paper has instead of its settings."""
    note: str = ""
    """What is incomplete about it."""
    best: bool = False
    tied: bool = False
    """Whether a test cannot tell it from the best."""
    keys: Sequence[str] = ()
    """Of a number: the cells that it is computed from."""
    facets: Mapping[str, str] = field(default_factory=dict)
    """Of a heading: what a reader may pick its row or column by, such as `assumes`."""

    @property
    def text(self) -> str:
        """The value with its interval: `54.3 ± 0.8`."""
        return f"{self.value} ± {self.half_width}" if self.half_width else self.value

    @property
    def is_empty(self) -> bool:
        """Whether it has no result."""
        return self.value in ("", MISSING, FAILED)


@dataclass(frozen=True)
class Row:
    """Entries, the heading first; controls are shown in grey."""

    entries: list[Entry]
    control: bool = False


@dataclass(frozen=True)
class Table:
    """Headings of the columns, and rows as long; the columns `words` hold words and the others numbers."""

    head: list[Entry]
    rows: list[Row]
    words: Sequence[int] = (0,)

    @property
    def marks(self) -> dict[str, str]:
        """A mark for each note, in the order of their appearance."""
        notes = dict.fromkeys(entry.note for row in self.rows for entry in row.entries if entry.note)
        return {note: MARKS[i % len(MARKS)] * (1 + i // len(MARKS)) for i, note in enumerate(notes)}

    @property
    def interval_columns(self) -> set[int]:
        """The columns in which some entry has an interval."""
        return {column for row in self.rows for column, entry in enumerate(row.entries) if entry.half_width}


@dataclass(frozen=True)
class Drawing:
    """A figure as an SVG element."""

    file: str
    """How the name of its file goes on after that of the plan."""
    svg: str
    text: str
    """What to see in it, for those who do not see it as well."""
    png: bytes = b""
    """The same as an image on white."""

    @property
    def standalone(self) -> str:
        """The same as a file of its own: on white, because its ink is the colour of the text around it."""
        return self.svg.replace("<svg ", '<svg style="color: #1d2126; background: #fff" ', 1)


@dataclass(frozen=True)
class Section:
    """A table with all that is said about it."""

    heading: str
    table: Table
    context: str = ""
    """What the numbers are of: data set, model and scale."""
    note: str = ""
    intervals: str = ""
    """Over what its intervals are, if not over what those of accuracies are."""
    remarks: list[str] = field(default_factory=list)
    figure: Drawing | None = None
    numbers: list[Record] = field(default_factory=list)
    """The same in full, a mapping from column to value for each row of a CSV file."""
    file: str = ""
    """How the name of that file goes on after that of the plan; sections with the same name share a file."""
    places: Sequence[tuple[str, str]] = ()
    """Data sets and models of the victims whose accuracies it compares."""
    folded: bool = False
    """Whether a reader must ask for it, if the format can fold."""


def plain_table(
    head: Sequence[str],
    rows: Sequence[Sequence[Entry | str]],
    words: Sequence[int] = (0,),
    controls: Sequence[bool] | None = None,
) -> Table:
    """A table whose entries may be given as text; `controls` says which rows are."""
    entries = [[one if isinstance(one, Entry) else Entry(one) for one in row] for row in rows]
    marked = zip(entries, controls or [False] * len(rows), strict=True)
    return Table([Entry(text) for text in head], [Row(row, control) for row, control in marked], words)


def file_of(labels: Sequence[str]) -> str:
    """What labels, such as a data set and a model, add to a file's name: `-cifar10-cnn`, not too long for a disk."""
    name = re.sub(r"[^\w.]+", "-", "-".join(labels))
    return f"-{name}" if len(name) <= LONGEST_NAME else f"-{name[:LONGEST_NAME]}-{digest(name)}"


def percent(share: float) -> str:
    """A share in [0, 1] as percent with one decimal."""
    return f"{round(100 * share, 1) + 0.0:.1f}"  # a little less than nothing is 0.0, not -0.0


def p_value(p: float) -> str:
    """A p-value with three decimals, as far as these tell it from 0."""
    return f"{p:.3f}" if p >= 0.0005 else "< 0.001"


def rough(number: float) -> str:
    """A number of no unit that all know, with two digits if it is small: `0.049`, `3.5`, `670`."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def share_entry(share: float | None, half_width: float | None = None) -> Entry:
    """A share with half of its interval, both in percent; without the latter if there is none."""
    if share is None:
        return Entry(MISSING)
    return Entry(percent(share), "" if half_width is None else percent(half_width))
