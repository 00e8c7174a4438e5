"""Means over seeds and how sure they are."""

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


@cache
def _quantile(count: int) -> float:
    """Student's, for the half width of an interval."""
    return float(student.ppf((1 + CONFIDENCE) / 2, count - 1))
