"""Means over victims and noises, and how sure they are."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from scipy.stats import t as student

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean of `count` runs, in the unit of the runs.

    The true mean lies within `half_width` of it with 95 % confidence; one run says nothing of that, so it has None.
    """

    mean: float
    half_width: float | None
    count: int


def rounded(value: float | None) -> float | None:
    """A number as files have it, with six decimals; None stays None."""
    return None if value is None else round(value, 6)


def estimate(values: Sequence[float]) -> Estimate | None:
    """The mean of independent runs with Student's 95 % interval; None if there is no run."""
    if not values:
        return None
    count = len(values)
    if count == 1:
        return Estimate(values[0], None, 1)
    return Estimate(statistics.fmean(values), _quantile(count) * statistics.stdev(values) / math.sqrt(count), count)


def estimate_over_noises(values: Sequence[float | None], noises: int) -> Estimate | None:
    """The mean over noises, each the mean of its victims, which are not independent; of a single one, over these.

    `values` are those of the first noise first, the same number of each; None if there is none. If only one of several
    noises has any there is no interval: its victims say nothing of the others.
    """
    size = max(1, len(values) // max(noises, 1))
    groups = [[one for one in values[start : start + size] if one is not None] for start in range(0, len(values), size)]
    made = [group for group in groups if group]
    return estimate([statistics.fmean(group) for group in made] if noises > 1 else made[0] if made else [])


@cache
def _quantile(count: int) -> float:
    """Student's, for the half width of an interval."""
    return float(student.ppf((1 + CONFIDENCE) / 2, count - 1))
