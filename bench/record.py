"""What a record holds, and the check of every one that is read."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from bench.accounts import Cost, CostOfMeasure, Ended, Making, Noise, Time, TimeOfMeasure
from bench.checked import Key, Part, Protocol, Record, Share, calculable, checked
from bench.core.errors import brief
from bench.core.files import check_values
from bench.core.settings import Count, digest, explained
from bench.trained import History, Result

OF_NOISE = ("protocol", "dataset", "method", "noise_seed")
"""What of a cell decides its noise."""


class Provenance(Part):
    """Where a number comes from."""

    commit: str
    device: str
    processor: str
    system: str
    precision: str
    threads: int
    versions: dict[str, str]
    jobs: Annotated[int, Field(ge=1)] = 1


class Asked(Part):
    """Which grid and scale wanted a cell first, and what the user set."""

    grid: str
    scale: str
    set: Record


class Named(Part):
    """A plug-in with its settings, of which only the name is known here."""

    name: str


class Training(Part):
    """A recipe."""

    steps: Count
    batch_size: Count


class Experiment(Part):
    """What decides any result, as far as it is read."""

    protocol: Protocol
    dataset: Named
    method: Named
    seed: int
    noise_seed: int


class Test(Experiment):
    """The same of a cell that trains a victim."""

    model: str
    attacks: list[Named]
    train: Training


class Measurement(Experiment):
    """The same of a cell that measures a noise."""

    measure: Named
    train: Training | None = None


class Notes(Part):
    """What attacks note of a victim, as far as tables show it."""

    robust_accuracy: Share | None = None
    robust_images: Count | None = None


class Ran(Part):
    """What every record holds."""

    key: Key
    asked: Asked | Annotated[Record, Field(max_length=0)]
    time: Ended
    provenance: Provenance
    trace: str = ""


class Finished(Ran):
    """The record of a victim with a result."""

    status: Literal["finished"]
    cell: Test
    result: Result
    history: History
    cost: Cost
    noise: Noise
    notes: Notes = Notes()
    time: Time

    @model_validator(mode="after")
    def _says_the_same_twice(self) -> Self:
        self.result.check_against(self.history)
        return self


def _calculable(result: Record) -> Record:
    """Raise ValueError for a number of a measure whose square is not finite."""
    for key, value in result.items():
        if isinstance(value, float):
            try:
                calculable(value)
            except ValueError as error:
                raise ValueError(f"{key} {error}") from None
    return result


class Measured(Ran):
    """The record of a noise that is measured; each measure has results of its own."""

    status: Literal["finished"]
    cell: Measurement
    result: Annotated[Record, AfterValidator(_calculable)]
    cost: CostOfMeasure
    noise: Noise
    notes: Record = {}
    time: TimeOfMeasure


class Failed(Ran):
    """The record of a cell that failed."""

    status: Literal["failed"]
    cell: Test | Measurement
    error: str
    notes: Record = {}

    @model_validator(mode="before")
    @classmethod
    def _came_to_nothing(cls, found: Record) -> Record:
        for part in ("result", "history"):
            if part in found:
                raise ValueError(f"{part} stands in the record of a cell that failed")
        return found


def _kind(found: Any) -> str | None:
    """Which model a record has."""
    if not isinstance(found, dict):
        return None
    status, cell = found.get("status"), found.get("cell")
    return "measured" if status == "finished" and isinstance(cell, dict) and "measure" in cell else str(status)


_RECORD: TypeAdapter[Finished | Measured | Failed] = TypeAdapter(
    Annotated[
        Annotated[Finished, Tag("finished")] | Annotated[Measured, Tag("measured")] | Annotated[Failed, Tag("failed")],
        Discriminator(_kind, custom_error_type="status", custom_error_message="no status that a record has"),
    ]
)


def check_making(about: Any, key: str) -> None:
    """Raise ValueError, in one line, for what tells not of the making of the noise called `key`."""
    try:
        made = Making.model_validate(about)
    except ValidationError as error:
        raise ValueError(explained(error)) from None
    if made.key != key:
        raise ValueError(f"is the noise {made.key}")
    check_values(about)


def names(kinds: Any) -> list[Any]:
    """The kinds of what is kept, as a file tells them. Raises ValueError for anything but a list of text."""
    if not (isinstance(kinds, list) and all(isinstance(kind, str) for kind in kinds)):
        raise ValueError(f"its kinds are no list of names, but {brief(kinds)}")
    return kinds


def checked_record(content: bytes, key: str) -> Record:
    """The record of the cell called `key`. Raises NewerError or ValueError, in one line, for anything else."""
    record = checked(_RECORD, content)
    cell = record["cell"]
    if not record["key"] == key == digest(cell):
        raise ValueError(f"holds cell {digest(cell)} under the key {record['key']}")
    return record
