"""What a record and a plan hold, and the check of every one that is read."""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import from_json

from bench.core.errors import brief
from bench.core.settings import PROTOCOL, digest

Record = dict[str, Any]
Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]
Key = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class Part(BaseModel):
    """What is known of a part of a file. Other versions may write more; numbers are finite."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class Result(Part):
    """Of one training; accuracies are shares in [0, 1]."""

    final_accuracy: Share
    final_loss: float
    peak_accuracy: Share
    peak_step: Annotated[int, Field(ge=0)]
    train_accuracy: Share


class History(Part):
    """One list for each quantity, with an entry for each look; right predictions on each part of a validation set."""

    step: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    train_loss: list[float]
    train_accuracy: list[Share]
    test_loss: list[float]
    test_accuracy: list[Share]
    validation_clean: list[list[Annotated[int, Field(ge=0)]]] | None = None
    validation_protected: list[list[Annotated[int, Field(ge=0)]]] | None = None

    @model_validator(mode="after")
    def _is_rectangular(self) -> Self:
        lists: list[list[Any]] = [self.step, self.train_loss, self.train_accuracy, self.test_loss, self.test_accuracy]
        clean, protected = self.validation_clean, self.validation_protected
        if clean is not None and protected is not None:
            lists += [clean, protected]
            if len({len(look) for look in [*clean, *protected]}) != 1:
                raise ValueError("its looks have different parts")
        elif clean is not protected:
            raise ValueError("it has half of a validation set")
        if len(set(map(len, lists))) > 1:
            raise ValueError("its lists have different lengths")
        return self


class Cost(Part):
    """Forward+backward passes of 128 images."""

    train_passes: Amount
    noise_passes: Amount


class Size(Part):
    """Measures of a noise; they have been added over time, and older records lack the newer ones."""

    linf: Share | None = None
    mean_l2: Amount | None = None
    mean_l0: Amount | None = None
    saturated: Share | None = None
    psnr: float | None = None
    ssim: float | None = None


class Noise(Part):
    """Which noise, and how large it is."""

    key: Key
    size: Size


class Ended(Part):
    """When a cell ended."""

    ended: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d")]


class Time(Ended):
    """The same with seconds of work."""

    noise_seconds: Amount
    train_seconds: Amount


class Provenance(Part):
    """Where a number comes from."""

    commit: str
    device: str
    processor: str
    system: str
    precision: str
    threads: int
    versions: dict[str, str]


class Identity(Part):
    """Everything that decides a result: of it only the protocol is known here."""

    protocol: Annotated[int, Field(ge=1, le=PROTOCOL)]


class Finished(Part):
    """The record of a cell with a result."""

    key: Key
    status: Literal["finished"]
    cell: Identity
    result: Result
    history: History
    cost: Cost
    noise: Noise
    time: Time
    provenance: Provenance


class Failed(Part):
    """The record of a cell that failed."""

    key: Key
    status: Literal["failed"]
    cell: Identity
    error: str
    time: Ended
    provenance: Provenance


class ScaleWords(Part):
    """A scale as a report tells it."""

    name: str
    about: str
    changes: Record


class Title(Part):
    """How people call a method or a stack of attacks."""

    model_config = ConfigDict(extra="forbid")

    title: str
    paper: str
    hint: str


class Labels(Part):
    """A control, as the plan calls its method and its attacks."""

    method: str
    attack: str


class Named(Part):
    """A plug-in at the paper's scale."""

    name: str


class Paper(Part):
    """The same condition at the paper's scale."""

    dataset: str
    model: str
    method: Named
    attacks: list[Named]


class Place(Labels):
    """One place of a table, with a cell for each victim of each noise."""

    dataset: str
    model: str
    control: bool
    release: bool
    assumes: list[str]
    paper: Paper
    cells: list[Key]
    noises: Annotated[int, Field(ge=0)]
    declined: str
    own_controls: list[Labels]

    @model_validator(mode="after")
    def _has_as_many_victims_on_each_noise(self) -> Self:
        if bool(self.cells) != bool(self.noises) or (self.noises and len(self.cells) % self.noises):
            raise ValueError(f"{len(self.cells)} cells do not spread over {self.noises} noises")
        return self


class Plan(Part):
    """What a grid asked for."""

    grid: str
    title: str
    about: str
    scale: ScaleWords
    set: Record
    titles: dict[str, Title]
    conditions: list[Place]

    @model_validator(mode="after")
    def _has_words_for_every_label(self) -> Self:
        for place in self.conditions:
            for labels in (place, *place.own_controls):
                if not {labels.method, labels.attack} <= self.titles.keys():
                    raise ValueError(f"no words for {brief(labels.method)} or {brief(labels.attack)}")
        return self


_RECORD: TypeAdapter[Finished | Failed] = TypeAdapter(Annotated[Finished | Failed, Field(discriminator="status")])
_PLAN = TypeAdapter(Plan)


def checked_record(content: bytes, key: str) -> Record:
    """The record of the cell called `key`. Raises ValueError, in one line, for anything else."""
    record = _validated(_RECORD, content)
    if not record["key"] == key == digest(record["cell"]):
        raise ValueError(f"holds cell {digest(record['cell'])} under the key {record['key']}")
    return record


def checked_plan(content: bytes) -> Record:
    """The plan that a file holds. Raises ValueError, in one line, for anything else."""
    return _validated(_PLAN, content)


def _validated(model: TypeAdapter[Any], content: bytes) -> Record:
    found: Record = from_json(content, allow_inf_nan=False)
    try:
        model.validate_python(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        said = first["msg"].removeprefix("Value error, ")
        problem = f"{said[0].lower()}{said[1:]}, got {brief(first['input'])}"
        raise ValueError(f"{place}: {problem}" if place else problem) from None
    json.dumps(found, allow_nan=False)  # raises ValueError for 1e999 wherever it stands
    return found
