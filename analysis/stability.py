"""What each perturbation of the measure of stability leaves of a noise: test loss, median loss and F."""

from typing import Annotated, NamedTuple

from pydantic import BaseModel, Field

from analysis.reading.found import Number, Share, read_every
from analysis.reading.measures import generators, places
from analysis.reading.results import Measured, Results
from analysis.writing.noises import INTERVALS, over_noises
from analysis.writing.sections import Entry, Section, plain_table

MEASURE = "stability"
NUMBERS = {"loss": "RD", "median_loss": "median RD", "f": "F"}
NOTE = (
    "A network is trained with views that are perturbed in each of these ways. RD is its mean test loss, F the share "
    "of test images that it gets wrong, and S the least RD. A few images that a network is sure of and wrong about "
    "decide a mean loss, so the median stands beside it. One network is trained for each noise and perturbation."
)


class Numbers(BaseModel):
    """Those of one perturbation; None if its record lacks one."""

    loss: Number | None = None
    median_loss: Number | None = None
    f: Share | None = None


class Left(BaseModel):
    """What the measure found, as far as it is read here: the numbers of each perturbation."""

    perturbations: Annotated[dict[str, Numbers], Field(min_length=1)]


class Found(NamedTuple):
    """A row: a way of measuring a method, and what its noises have."""

    title: str
    measured: Measured
    noises: dict[str, dict[str, Numbers]]
    """Numbers by perturbation, of each finished noise whose record holds what it should, by its key."""
    damaged: list[str]
    """What is wrong with other records."""


def sections(results: Results) -> list[Section]:
    """One for each data set and model for which stability was measured."""
    return [section for place in places(results) if (section := _section(results, place))]


def _section(results: Results, place: tuple[str, str]) -> Section | None:
    every = [one for measures in generators(results, place).values() for one in _rows(list(measures.values()))]
    if not every:
        return None
    names = list(dict.fromkeys(name for one in every for numbers in one.noises.values() for name in numbers))
    columns = [(name, number) for number in NUMBERS for name in names]
    rows: list[list[Entry | str]] = [[one.title, *(_entry(one, *column) for column in columns)] for one in every]
    return Section(
        "Stability: what is left under each perturbation",
        plain_table(
            ["method", *(f"{NUMBERS[number]}, {name}" for name, number in columns)],
            rows,
            controls=[one.measured.control for one in every],
        ),
        context=results.context(place),
        note=NOTE,
        intervals=INTERVALS,
        remarks=[line for one in every for line in one.damaged],
        numbers=[
            {"dataset": place[0], "model": place[1], "method": one.measured.label, "title": one.measured.title}
            | {"noise": noise, "perturbation": name, **found.model_dump(exclude_none=True)}
            for one in every
            for noise, key in enumerate(one.measured.keys)
            for name, found in one.noises.get(key, {}).items()
        ],
        file="-stability",
    )


def _rows(measures: list[Measured]) -> list[Found]:
    """The rows of one method: one, or one for each way of measuring it; none without a finished noise."""
    own = read_every(measures, MEASURE, Left)
    rows = []
    for one, whole, damaged in own:
        title = one.method.title + (f", {one.title}" if len(own) > 1 else "")
        rows.append(Found(title, one, {key: left.perturbations for key, left in whole}, damaged))
    return rows


def _entry(one: Found, name: str, number: str) -> Entry:
    keys = one.measured.keys
    return over_noises(number, [getattr(one.noises.get(key, {}).get(name), number, None) for key in keys], keys)
