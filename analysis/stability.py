"""What each perturbation of the measure of stability leaves of a noise: test loss, median loss and F."""

from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from analysis.measured import generators, places
from analysis.results import Measured, Results
from analysis.sections import MISSING, Entry, Section, plain_table
from bench.store import Record

MEASURE = "stability"
NUMBERS = {"loss": "RD", "median_loss": "median RD", "f": "F"}
NOTE = (
    "A network is trained with views that are perturbed in each of these ways. RD is its mean test loss, F the share "
    "of test images that it gets wrong, and S the least RD. A few images that a network is sure of and wrong about "
    "decide a mean loss, so the median stands beside it. The first noise of each method, one network for each number."
)


class Left(BaseModel):
    """What the measure found, as far as it is read here: the numbers of each perturbation."""

    perturbations: Annotated[dict[str, dict[str, Annotated[float, Field(allow_inf_nan=False)]]], Field(min_length=1)]


def sections(results: Results) -> list[Section]:
    """One for each data set and model for which stability was measured."""
    return [section for place in places(results) if (section := _section(results, place))]


def _section(results: Results, place: tuple[str, str]) -> Section | None:
    every = [(one, left) for own in generators(results, place).values() for one in own.values() if (left := _left(one))]
    names = list(dict.fromkeys(name for _, left in every for name in left.perturbations))
    columns = [(name, number) for number in NUMBERS for name in names]
    rows: list[list[Entry | str]] = [
        [one.method.title, *(_entry(left, *column) for column in columns)] for one, left in every
    ]
    numbers: list[Record] = [
        {"dataset": place[0], "model": place[1], "method": one.label, "title": one.title, "perturbation": name, **found}
        for one, left in every
        for name, found in left.perturbations.items()
    ]
    if not rows:
        return None
    return Section(
        "Stability: what is left under each perturbation",
        plain_table(["method", *(f"{NUMBERS[number]}, {name}" for name, number in columns)], rows),
        context=results.context(place),
        note=NOTE,
        numbers=numbers,
        file="-stability",
        folded=True,
    )


def _left(one: Measured) -> Left | None:
    if one.measure != MEASURE or not one.found:
        return None
    try:
        return Left.model_validate(one.found[0])
    except ValidationError:  # not finished, or written by hand
        return None


def _entry(left: Left, name: str, number: str) -> Entry:
    value = left.perturbations.get(name, {}).get(number)
    return Entry(MISSING if value is None else f"{value:.2f}")
