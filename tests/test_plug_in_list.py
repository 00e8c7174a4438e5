"""The document of all plug-ins says what they say. `python -m tests.test_plug_in_list` writes it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from attacks import ATTACKS
from bench.cards import first_line
from bench.core.plug_in import PlugIn
from measures import MEASURES
from methods import METHODS

DOCUMENT = Path("docs/plug-ins.md")
OPENING = """\
# Methods, attacks and measures

Each by its name in grids and in tables, with the paper or the code that it follows. A card has the
rest, such as cost, settings and deviations: `python -m bench list methods em`. What you run, you
should cite by these sources.
"""


def written() -> str:
    """The whole document."""
    groups: dict[str, Mapping[str, type[PlugIn]]] = {"Methods": METHODS, "Attacks": ATTACKS, "Measures": MEASURES}
    return "\n".join([OPENING, *(line for heading, table in groups.items() for line in _section(heading, table))])


def _section(heading: str, table: Mapping[str, type[PlugIn]]) -> Iterator[str]:
    yield from (f"## {heading}", "", "| name | in tables | what it is | source |", "| --- | --- | --- | --- |")
    for name, kind in table.items():
        yield f"| `{name}` | {kind.called(name)} | {first_line(kind.__doc__)} | {kind.source} |"
    yield ""


def test_the_list_of_plug_ins_says_what_they_say() -> None:
    assert DOCUMENT.read_text() == written(), "write it again: python -m tests.test_plug_in_list"


if __name__ == "__main__":
    DOCUMENT.write_text(written())
