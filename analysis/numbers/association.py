"""How two quantities of the same generators go together: coefficients, intervals, tests, and what else explains it.

Samples are float64 (N,), one value for each generator. Intervals are BCa bootstrap over generators (Efron 1987) with
`RESAMPLES` draws, p-values those of `PERMUTATIONS` of one sample, both of a fixed seed.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.numbers.differences import holm

Sample = NDArray[np.float64]
Statistic = Callable[..., Any]
RESAMPLES = 10_000
PERMUTATIONS = 100_000
"""As they are, the samples count as one. So many, because a p-value near 5 % must not depend on the seed."""
AT_ONCE = 10_000
"""Permutations in memory."""
ROUNDING = 1e-9
"""By which coefficients of equal samples may differ."""
TIED_RESAMPLES = RESAMPLES // 100
"""If more resamples than this have no coefficient, there is no interval."""
FEWEST = 5
"""Generators below which no coefficient is told."""
FEW = 12
"""Generators below which a coefficient comes with a warning."""


@dataclass(frozen=True)
class Association:
    """One coefficient, or the reason why there is none."""

    coefficient: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    """Ends of the 95 % interval; None if all resamples are alike."""
    p: float | None = None
    """Of no association, two-sided: the share of permutations with a coefficient as far from 0."""
    p_holm: float | None = None
    """The same, corrected for the family of tests that `corrected` saw."""
    reason: str = ""


def pearson(first: Any, second: Any, axis: int = -1) -> Any:
    """Pearson's r along an axis; NaN if a sample is constant."""
    first = first - np.mean(first, axis=axis, keepdims=True)
    second = second - np.mean(second, axis=axis, keepdims=True)
    scale = np.sqrt(np.sum(first**2, axis=axis) * np.sum(second**2, axis=axis))
    return np.divide(np.sum(first * second, axis=axis), scale, out=np.full_like(scale, np.nan), where=scale > 0)


def spearman(first: Any, second: Any, axis: int = -1) -> Any:
    """Spearman's rho: Pearson's r of the ranks, ties sharing theirs."""
    return pearson(stats.rankdata(first, axis=axis), stats.rankdata(second, axis=axis), axis)


def kendall(first: Any, second: Any, axis: int = -1) -> Any:
    """Kendall's tau-b, which corrects for ties."""
    one, other = (np.ascontiguousarray(np.moveaxis(np.asarray(sample), axis, 0)) for sample in (first, second))
    both, untied, others_untied = (np.zeros(one.shape[1:]) for _ in range(3))
    for i, j in combinations(range(len(one)), 2):
        sign, other_sign = np.sign(one[i] - one[j]), np.sign(other[i] - other[j])
        both += sign * other_sign
        untied += sign**2
        others_untied += other_sign**2
    scale = np.sqrt(untied * others_untied)
    return np.divide(both, scale, out=np.full_like(scale, np.nan), where=scale > 0)


COEFFICIENTS: dict[str, Statistic] = {"Pearson r": pearson, "Spearman rho": spearman, "Kendall tau-b": kendall}


def associate(first: Sequence[float], second: Sequence[float]) -> list[Association]:
    """Every coefficient of two samples with its interval and p-value; a reason each if there are none."""
    pair = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    reason = _objection(*pair)
    if reason:
        return [Association(name, reason=reason) for name in COEFFICIENTS]
    return [_associate(name, statistic, *pair) for name, statistic in COEFFICIENTS.items()]


def _objection(first: Sample, second: Sample) -> str:
    """Why no coefficient can be told."""
    if len(first) < FEWEST:
        return f"{len(first)} generators are too few"
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return "one of them is the same for every generator"
    return ""


def caution(first: Sequence[float], second: Sequence[float]) -> str:
    """What a reader should know of two samples before believing a coefficient; empty if there is nothing."""
    words = []
    if FEWEST <= len(first) < FEW:
        words.append(f"only {len(first)} generators")
    for sample in (first, second):
        ties = len(sample) - len(set(sample))
        if ties > len(sample) / 4:
            words.append(f"{ties} of {len(sample)} values tied")
    return ", ".join(words)


def _associate(name: str, statistic: Statistic, first: Sample, second: Sample) -> Association:
    value = float(statistic(first, second))
    return Association(name, value, *_interval(statistic, first, second), _p(statistic, first, second, abs(value)))


def _p(statistic: Statistic, first: Sample, second: Sample, found: float) -> float:
    """The share of permutations whose coefficient is as far from 0; never 0, because the pairs as they are count."""
    generator = np.random.default_rng(0)
    count = 1
    for start in range(1, PERMUTATIONS, AT_ONCE):
        size = min(AT_ONCE, PERMUTATIONS - start)
        moved = generator.permuted(np.broadcast_to(first, (size, len(first))), axis=1)
        others = statistic(moved, np.broadcast_to(second, moved.shape))
        count += int(np.count_nonzero(np.abs(others) >= found - ROUNDING))
    return count / PERMUTATIONS


def _interval(statistic: Statistic, first: Sample, second: Sample) -> tuple[float | None, float | None]:
    """BCa ends; None if more than a few resamples have no coefficient, because all their values are tied.

    Else those few count as no association.
    """
    undefined = 0

    def safe(one: Any, other: Any, axis: int = -1) -> Any:
        nonlocal undefined
        found = statistic(one, other, axis=axis)
        undefined += int(np.count_nonzero(np.isnan(found)))
        return np.nan_to_num(found)

    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # all resamples are alike: there are no ends then
        found = stats.bootstrap(
            (first, second),
            safe,
            paired=True,
            vectorized=True,
            n_resamples=RESAMPLES,
            batch=AT_ONCE // 10,
            method="BCa",
            rng=np.random.default_rng(0),
        ).confidence_interval
    ends = float(found.low), float(found.high)
    return (None, None) if np.isnan(ends).any() or undefined > TIED_RESAMPLES else ends


def corrected(family: Sequence[Association]) -> list[Association]:
    """The same with p-values corrected for their number after Holm (1979)."""
    return [replace(one, p_holm=p) for one, p in zip(family, holm([one.p for one in family]), strict=True)]


def partial(first: Sequence[float], second: Sequence[float], given: Sequence[Sequence[float]]) -> float | None:
    """Pearson's r of what linear regression on the samples of `given` leaves of both; None if it leaves nothing."""
    design = np.column_stack([np.ones(len(first)), *(np.asarray(sample, dtype=np.float64) for sample in given)])
    if len(first) <= np.linalg.matrix_rank(design) + 2:
        return None
    rests = []
    for sample in (first, second):
        values = np.asarray(sample, dtype=np.float64)
        rest = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
        if np.linalg.norm(rest) <= 1e-9 * np.linalg.norm(values - values.mean()) + 1e-300:
            return None
        rests.append(rest)
    return float(pearson(*rests))


def curvature(first: Sequence[float], second: Sequence[float]) -> float | None:
    """p-value of the quadratic term if `second` is fitted by a parabola in `first` (t-test); None if it cannot be."""
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if len(set(x)) < 3 or len(x) <= 3 or np.ptp(y) == 0:
        return None
    x = (x - x.mean()) / x.std()
    design = np.column_stack([np.ones_like(x), x, x**2])
    solution, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    freedom = len(x) - 3
    rest = float(((y - design @ solution) ** 2).sum())
    if rank < 3 or rest == 0:
        return None
    error = np.sqrt(rest / freedom * np.linalg.inv(design.T @ design)[2, 2])
    return float(2 * stats.t.sf(abs(solution[2] / error), freedom))
