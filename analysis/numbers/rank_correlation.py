"""Spearman's correlation of a few pairs, with an interval that needs no resampling."""

import math
from collections.abc import Sequence

from scipy.stats import norm, spearmanr

LEAST = 5
"""So many pairs make a rank correlation worth a sentence."""


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rho; None for few pairs, or if all values of a side are equal."""
    if len(first) < LEAST or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return float(spearmanr(first, second).statistic)


def rank_interval(correlation: float, count: int) -> tuple[float, float]:
    """The 95 % interval of Spearman's correlation over `count` pairs, by Fisher's z with Fieller's variance.

    Perfect agreement has no such interval. It gets that of one swap of neighbours, up to its own end.
    """
    swapped = 1 - 12 / (count * (count**2 - 1))
    inside = max(-swapped, min(swapped, correlation))
    half_width = float(norm.ppf(0.975)) * math.sqrt(1.06 / (count - 3))
    low, high = (math.tanh(math.atanh(inside) + side * half_width) for side in (-1, 1))
    return (low, high) if inside == correlation else _to_end(low, high, correlation)


def _to_end(low: float, high: float, correlation: float) -> tuple[float, float]:
    return (low, correlation) if correlation > 0 else (correlation, high)


def correlation_words(correlation: float, count: int) -> str:
    """`is 0.45 over 11 methods, its 95 % interval -0.23 to 0.83; that decides nothing`."""
    low, high = rank_interval(correlation, count)
    verdict = "; that decides nothing" if low <= 0 <= high else ""
    return f"is {correlation:.2f} over {count} methods, its 95 % interval {low:.2f} to {high:.2f}{verdict}"
