"""What each perturbation of the measure of stability leaves of a noise: test loss, median loss and F."""

from typing import Annotated, NamedTuple

from pydantic import BaseModel, Field, ValidationError

from analysis.reading.measures import generators, places
from analysis.reading.results import Measured, Results
from analysis.writing.sections import MISSING, Entry, Section, plain_table

MEASURE = "stability"
NUMBERS = {"loss": "RD", "median_loss": "median RD", "f": "F"}
NOTE = (
    "A network is trained with views that are perturbed in each of these ways. RD is its mean test loss, F the share "
    "of test images that it gets wrong, and S the least RD. A few images that a network is sure of and wrong about "
    "decide a mean loss, so the median stands beside it. Of each method the first noise, with one network for each "
    "perturbation."
)


class Left(BaseModel):
    """What the measure found, as far as it is read here: the numbers of each perturbation."""

    perturbations: Annotated[dict[str, dict[str, Annotated[float, Field(allow_inf_nan=False)]]], Field(min_length=1)]


class Found(NamedTuple):
    """A row: a way of measuring a method, and the cell of its first finished noise."""

    title: str
    measured: Measured
    key: str
    left: Left


def sections(results: Results) -> list[Section]:
    """One for each data set and model for which stability was measured."""
    return [section for place in places(results) if (section := _section(results, place))]


def _section(results: Results, place: tuple[str, str]) -> Section | None:
    every = [one for measures in generators(results, place).values() for one in _rows(list(measures.values()))]
    if not every:
        return None
    names = list(dict.fromkeys(name for one in every for name in one.left.perturbations))
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
        numbers=[
            {"dataset": place[0], "model": place[1], "method": one.measured.label, "title": one.measured.title}
            | {"perturbation": name, **found}
            for one in every
            for name, found in one.left.perturbations.items()
        ],
        file="-stability",
        folded=True,
    )


def _rows(measures: list[Measured]) -> list[Found]:
    """The rows of one method: one, or one for each way of measuring it."""
    own = [(one, *found) for one in measures if one.measure == MEASURE and (found := _first(one))]
    return [
        Found(one.method.title + (f", {one.title}" if len(own) > 1 else ""), one, key, left) for one, key, left in own
    ]


def _first(one: Measured) -> tuple[str, Left] | None:
    """The key and the numbers of the first noise that is finished; none that were written by hand otherwise."""
    for key, found in zip(one.keys, one.found, strict=True):
        try:
            return key, Left.model_validate(found)
        except ValidationError:
            continue
    return None


def _entry(one: Found, name: str, number: str) -> Entry:
    value = one.left.perturbations.get(name, {}).get(number)
    return Entry(MISSING) if value is None else Entry(f"{value:.2f}", keys=(one.key,))
