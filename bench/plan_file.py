"""What a plan holds, and the check of every one that is read."""

from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, model_validator

from bench.checked import Key, Number, Part, Protocol, Record, checked
from bench.core.errors import brief


def _each_once(keys: list[Key]) -> list[Key]:
    if len(set(keys)) < len(keys):
        raise ValueError("a cell stands in it twice")
    return keys


Cells = Annotated[list[Key], AfterValidator(_each_once)]


class Changes(Part):
    """What a scale changes, as far as it is read."""

    model_config = ConfigDict(extra="allow")

    multiply: dict[str, Number] = {}


class ScaleWords(Part):
    """A scale as a report tells it."""

    name: str
    about: str
    changes: Changes
    replaced: list[str] = []


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


class PlanCondition(Labels):
    """One place of a table, with a cell for each victim of each noise."""

    dataset: str
    model: str
    control: bool
    release: bool
    assumes: list[str]
    paper: Paper
    cells: Cells
    noises: Annotated[int, Field(ge=0)]
    spared: bool = False
    replaced: list[str] = []
    declined: str
    own_controls: list[Labels]

    @model_validator(mode="after")
    def _has_as_many_victims_on_each_noise(self) -> Self:
        if bool(self.cells) != bool(self.noises) or (self.noises and len(self.cells) % self.noises):
            raise ValueError(f"{len(self.cells)} cells do not spread over {self.noises} noises")
        return self


class PlanMeasure(Part):
    """What is measured of one method, with a cell for each noise.

    Plans of before do not say which settings are written.
    """

    dataset: str
    model: str
    method: str
    measure: str
    title: str
    numbers: dict[str, str]
    settings: Record
    written: Record = {}
    control: bool
    cells: Cells
    declined: str


class Plan(Part):
    """What a grid asked for. Plans of before say no protocol, no file, and not what their scale replaced."""

    protocol: Protocol = 1
    grid: str
    file: str = ""
    title: str
    about: str
    scale: ScaleWords
    set: Record
    titles: dict[str, Title]
    conditions: Annotated[list[PlanCondition], Field(min_length=1)]
    measures: list[PlanMeasure] = []

    @model_validator(mode="after")
    def _has_words_for_every_label(self) -> Self:
        for place in self.conditions:
            for labels in (place, *place.own_controls):
                if not {labels.method, labels.attack} <= self.titles.keys():
                    raise ValueError(f"no words for {brief(labels.method)} or {brief(labels.attack)}")
        for measured in self.measures:
            if measured.method not in self.titles:
                raise ValueError(f"no words for {brief(measured.method)}")
        return self


_PLAN = TypeAdapter(Plan)


def checked_plan(content: bytes) -> Record:
    """The plan that a file holds. Raises NewerError or ValueError, in one line, for anything else."""
    return checked(_PLAN, content)
