"""The results of a plan: its conditions, what was measured of its noises, and each cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.reading.conditions import ConditionResult, Words
from bench.store import Record


@dataclass(frozen=True)
class Measured:
    """What one measure found of the noises of one method."""

    place: tuple[str, str]
    """Data set and model."""
    label: str
    """What the plan calls the method."""
    method: Words
    control: bool
    measure: str
    """The measure's name."""
    title: str
    numbers: dict[str, str]
    """Titles of the numbers that tables show, by key."""
    settings: Record
    """Of the measure, as it was run."""
    found: list[Record | None]
    """The results of each noise; None if it is not finished."""
    declined: str = ""
    """Why the measure does not apply."""
    keys: Sequence[str] = ()
    """Of its cells, one for each noise."""
    written: Mapping[str, Any] = field(default_factory=dict)
    """The settings of the measure that the grid writes, at paper scale."""

    @property
    def written_out(self) -> str:
        """The same as text: `adv_radius=4/255 turns=5`."""
        return " ".join(f"{setting}={value}" for setting, value in self.written.items())


@dataclass(frozen=True, eq=False)
class Results:
    """A plan with all that the store holds of it."""

    name: str
    plan: Record
    conditions: list[ConditionResult]
    cells: list[Record]
    """Each cell once: its LABEL, key, status (finished, failed or missing) and error or QUANTITIES."""
    records: list[Record]
    """The records there are, each once, in the order of the plan."""
    left_out: dict[str, list[str]]
    """Attacks that a reader did not want, by what they assume."""
    root: Path
    """The results folder, for the commands that a report names."""
    measured: Sequence[Measured] = ()
    """What was measured of the noises."""
    measure_cells: Sequence[Record] = ()
    """Each cell of a measure: the measure's title, method, key, status and error."""
    measure_records: Sequence[Record] = ()
    """Their records that there are."""

    @property
    def seeds(self) -> list[int]:
        """How many victims each noise has: one number unless the conditions differ."""
        return sorted({condition.victims for condition in self.conditions if not condition.declined})

    @property
    def noises(self) -> list[int]:
        """How many noises the conditions have that draw any."""
        return sorted({one.noises for one in self.conditions if not (one.declined or one.is_clean)}) or [1]

    @property
    def recipes(self) -> list[Record]:
        """How the victims of the records were trained, each different recipe once."""
        found: list[Record] = []
        for record in self.records:
            recipe = {key: value for key, value in record["cell"]["train"].items() if key != "revision"}
            found += [recipe] if recipe not in found else []
        return found

    def title(self, label: str) -> str:
        """A label of the plan as people read it."""
        return str(self.plan["titles"][label]["title"])

    def context(self, place: tuple[str, str]) -> str:
        """What stands over every table of a data set and a model, so that nobody mistakes one scale for another."""
        return ", ".join([*place, f"scale {self.plan['scale']['name']}"])

    def count(self, status: str) -> int:
        """Cells with that status, those of measures included."""
        return sum(cell["status"] == status for cell in self.all_cells)

    @property
    def all_cells(self) -> list[Record]:
        """The cells, and those of measures."""
        return [*self.cells, *self.measure_cells]

    @property
    def all_records(self) -> list[Record]:
        """The records, and those of measures."""
        return [*self.records, *self.measure_records]
