"""Means over victims and noises, and how sure they are."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, Protocol, TypeVar

from scipy.stats import norm
from scipy.stats import t as student

CONFIDENCE = 0.95
ROUNDING = 1e-12
"""Of the largest number: a spread below it is that of the sixteen digits that numbers have."""


@dataclass(frozen=True)
class Estimate:
    """A mean of `count` runs, in the unit of the runs.

    The true mean lies within `half_width` of it with 95 % confidence; one run says nothing of that, so it has None.
    """

    mean: float
    half_width: float | None
    count: int
    ends: tuple[float, float] | None = None
    """Of an interval that is longer on one side, whose `half_width` is the longer one."""

    @property
    def low(self) -> float | None:
        """The lower end of the interval."""
        return self.ends[0] if self.ends else None if self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        """The upper end of the interval."""
        return self.ends[1] if self.ends else None if self.half_width is None else self.mean + self.half_width

    @property
    def bare(self) -> "Estimate":
        """The same mean without an interval."""
        return Estimate(self.mean, None, self.count)


class _Interval(Protocol):
    """An estimate, or a difference."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def mean(self) -> float: ...

    @property
    def count(self) -> int: ...

    @property
    def half_width(self) -> float | None: ...


Sure = TypeVar("Sure", bound=_Interval)


def rounded(value: float | None) -> float | None:
    """A number as files have it, with six decimals; None stays None."""
    return None if value is None else round(value, 6)


def estimate(values: Sequence[float], widening: float = 1.0) -> Estimate | None:
    """The mean of independent runs with Student's 95 % interval, so many times as wide; None if there is no run."""
    if not values:
        return None
    if len(values) == 1:
        return Estimate(values[0], None, 1)
    return Estimate(statistics.fmean(values), _half_width(values, _size(values), widening), len(values))


def _half_width(values: Sequence[float], size: float, widening: float) -> float | None:
    """Half of Student's interval of the mean of numbers that were computed from ones of this size; None of one."""
    count = len(values)
    return widening * quantile(count - 1) * _deviation(values, size) / math.sqrt(count) if count > 1 else None


def estimate_over_noises(values: Sequence[float | None], noises: int, images: int | None = None) -> Estimate | None:
    """The mean over noises, each the mean of its victims, which are not independent; of a single one, over these.

    `values` are those of the first noise first, the same number of each; None if there is none. If only one of several
    noises has any there is no interval: its victims say nothing of the others. A single victim that was planned alone
    has Wilson's interval over so many test `images`, if their number is known.

    The victims of all noises have the same seeds, so that what a seed does to all of them is no spread of noises. So
    the interval is the wider one of that over noises and that over victim seeds, if every value is there.
    """
    if images and len(values) == 1 and values[0] is not None:
        return wilson(values[0], images)
    return less_sure(estimate, noises, values)


def less_sure(
    of: Callable[..., Sure | None],
    noises: int,
    *runs: Sequence[float | None],
    of_victims: Callable[..., Sure | None] | None = None,
) -> Sure | None:
    """`of` what is independent of each of `runs`, with the interval over victim seeds if that is wider.

    Both have the same mean, if every value is there; else only the first is known. `of_victims` stands for `of` where
    victims are the units: those of a single noise, or victim seeds.
    """
    of_victims = of_victims or of
    known = (of if noises > 1 else of_victims)(*(units(one, noises) for one in runs))
    other = of_victims(*(over_seeds(one, noises) for one in runs))
    if known is None or other is None or known.half_width is None or other.half_width is None:
        return known
    if known.half_width >= other.half_width:
        return known
    return replace(other, mean=known.mean, count=known.count)


def over_seeds(values: Sequence[float | None], noises: int) -> list[float]:
    """The mean over several noises of each victim seed; none if a value is missing, or of one noise."""
    if noises < 2 or None in values:
        return []
    columns = zip(*by_noise(values, noises), strict=True)
    return [statistics.fmean(value for value in column if value is not None) for column in columns]


def units(values: Sequence[float | None], noises: int) -> list[float]:
    """What is independent of a condition's runs: the mean over the victims of each noise, or each victim of one."""
    groups = [[one for one in group if one is not None] for group in by_noise(values, noises)]
    made = [group for group in groups if group]
    return [statistics.fmean(group) for group in made] if noises > 1 else made[0] if made else []


def by_noise(values: Sequence[float | None], noises: int) -> list[Sequence[float | None]]:
    """The runs of each noise."""
    size = max(1, len(values) // max(noises, 1))
    return [values[start : start + size] for start in range(0, len(values), size)]


def wilson(share: float, images: int) -> Estimate:
    """A share of so many test images with Wilson's 95 % interval (1927), which says nothing of a second victim."""
    z = float(norm.ppf((1 + CONFIDENCE) / 2))
    whole = 1 + z**2 / images
    centre = (share + z**2 / (2 * images)) / whole
    half = z / whole * math.sqrt(share * (1 - share) / images + z**2 / (4 * images**2))
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Estimate(share, max(high - share, share - low), 1, (low, high))


def ratio(ours: Sequence[float], theirs: Sequence[float], widening: float = 1.0) -> Estimate | None:
    """The ratio of two means of paired runs, with Student's interval of its linear part (Cochran 1977, section 6.4).

    The interval is so many times as wide. None without runs, or if the second mean is 0.
    """
    if not ours or not statistics.fmean(theirs):
        return None
    below = statistics.fmean(theirs)
    value = statistics.fmean(ours) / below
    rest = [(a - value * b) / below for a, b in zip(ours, theirs, strict=True)]
    return Estimate(value, _half_width(rest, _size(ours) / abs(below), widening), len(ours))


def deviation(values: Sequence[float]) -> float:
    """The standard deviation of two or more, exactly 0 of equal ones, whose computed mean need not be equal to them.

    That of `statistics` adds fractions, which takes a report a second.
    """
    return _deviation(values, _size(values))


def _deviation(values: Sequence[float], size: float) -> float:
    mean = statistics.fmean(values)
    found = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return found if found > ROUNDING * size else 0.0


def _size(values: Sequence[float]) -> float:
    return max(map(abs, values))


@cache
def quantile(freedom: float) -> float:
    """Student's, for the half width of an interval."""
    return float(student.ppf((1 + CONFIDENCE) / 2, freedom))
