"""What a measure found as a study of it reads that, and a line for each record that does not hold it."""

from collections.abc import Iterable
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from analysis.reading.results import Measured
from bench.core.settings import explained

M = TypeVar("M", bound=BaseModel)
LARGEST = 1e100
"""Number of a record, whose square is finite."""
ROUNDING = 1e-9
"""What a sum of shares may be over 1."""


def in_unit_interval(value: float) -> float:
    """Return a share. Raises ValueError for what is none, but for rounding."""
    if not 0 <= value <= 1 + ROUNDING:
        raise ValueError(f"must be in [0, 1], got {value}")
    return value


def calculable(value: float) -> float:
    """Return a number. Raises ValueError for one so large that no interval can be computed."""
    if abs(value) > LARGEST:
        raise ValueError(f"must be between -{LARGEST:g} and {LARGEST:g}, got {value:g}")
    return value


Share = Annotated[float, Field(strict=True), AfterValidator(in_unit_interval)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False), AfterValidator(calculable)]


def read_every(
    measures: Iterable[Measured], name: str, model: type[M]
) -> list[tuple[Measured, list[tuple[str, M]], list[str]]]:
    """Each way of the measure called `name` with a finished noise: what holds, by key, and a line for each other."""
    read = [(one, *_read(one, model)) for one in measures if one.measure == name]
    return [(one, whole, damaged) for one, whole, damaged in read if whole or damaged]


def _read(one: Measured, model: type[M]) -> tuple[list[tuple[str, M]], list[str]]:
    """Key and content of each finished noise whose record holds what `model` says, and what is wrong with each other.

    A record in the store may be damaged here all the same, or be of another measure of that name.
    """
    whole, damaged = [], []
    for key, found in zip(one.keys, one.found, strict=True):
        if found is not None:
            try:
                whole.append((key, model.model_validate(found)))
            except ValidationError as error:
                damaged.append(f"Cell {key} is left out: {explained(error)}; delete its record and run its grid again.")
    return whole, damaged
