"""Ranks with intervals, by a bootstrap over seeds."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from analysis.numbers.differences import Runs
from analysis.numbers.estimates import CONFIDENCE, quantile

RESAMPLES = 10_000
FEWEST = 3
"""Seeds below which such intervals are too short."""


def rank_intervals(rows: Mapping[str, Runs]) -> dict[str, tuple[int, int]]:
    """The 95 % interval of each row's rank, 1 for the lowest mean; none if some row has fewer than FEWEST seeds.

    Rows with as many seeds are resampled together, so that what seeds do to all rows alike changes no rank. Few seeds
    make a bootstrap too sure. So the deviations of its means are stretched until the interval of a single mean has the
    width of Student's: by 2.7 for three seeds, by less for more. Each interval holds by itself.
    """
    if not rows or any(len(runs.units) < FEWEST for runs in rows.values()):
        return {}
    means = np.stack([_resampled(runs) for runs in rows.values()])
    ranks = rankdata(means, method="min", axis=0), rankdata(means, method="max", axis=0)
    tail = (1 - CONFIDENCE) / 2
    low = np.quantile(ranks[0], tail, axis=1, method="inverted_cdf")
    high = np.quantile(ranks[1], 1 - tail, axis=1, method="inverted_cdf")
    return {name: (int(a), int(b)) for name, a, b in zip(rows, low, high, strict=True)}


def stretch(seeds: int) -> float:
    """How much longer Student's interval of a mean is than that of a bootstrap over so many seeds."""
    return quantile(seeds - 1) / float(norm.ppf((1 + CONFIDENCE) / 2)) * math.sqrt(seeds / (seeds - 1))


def _resampled(runs: Runs) -> NDArray[np.float64]:
    values = np.asarray(runs.units)
    count = len(values)
    # The same draws for all rows with as many seeds of the same kind.
    draws = np.random.default_rng([count, runs.noises > 1]).integers(0, count, (RESAMPLES, count))
    deviations = values[draws].mean(axis=1) - values.mean()
    stretched: NDArray[np.float64] = values.mean() + runs.widening_of_units * stretch(count) * deviations
    return stretched
