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
"""By which coefficients of equal samples, and equal values relative to the largest, may differ."""
FLAT = 1e-12
"""Of squares of values up to 1: a part beside their line that is no longer tells nothing of a bend."""
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
    pair = _standard(first), _standard(second)
    reason = _objection(*pair)
    if reason:
        return [Association(name, reason=reason) for name in COEFFICIENTS]
    return [_associate(name, statistic, *pair) for name, statistic in COEFFICIENTS.items()]


def _standard(sample: Sequence[float]) -> Sample:
    """The sample around 0 with a largest size of 1, so that no square is too large or too small; 0 if it is constant.

    What rounding alone may have made different is constant.
    """
    values = np.asarray(sample, dtype=np.float64)
    size = np.abs(values).max(initial=0)
    if size == 0:
        return values
    around = values / size - np.mean(values / size)
    spread = np.abs(around).max()
    return around / spread if spread > ROUNDING else np.zeros_like(values)


def _objection(first: Sample, second: Sample) -> str:
    """Why nothing can be told of two samples around 0."""
    if len(first) < FEWEST:
        return "1 generator is too few" if len(first) == 1 else f"{len(first)} generators are too few"
    return "" if first.any() and second.any() else "one of them is the same for every generator"


def caution(first: Sequence[float], second: Sequence[float]) -> str:
    """What a reader should know of two samples before believing a coefficient; empty if there is nothing."""
    words = []
    if FEWEST <= len(first) < FEW:
        words.append(f"only {len(first)} generators")
    for name, sample in (("values", first), ("accuracies", second)):
        ties = len(sample) - len(set(sample))
        if ties > len(sample) / 4:
            words.append(f"{ties} of {len(sample)} {name} tied")
    return ", ".join(words)


def _associate(name: str, statistic: Statistic, first: Sample, second: Sample) -> Association:
    value = float(statistic(first, second))
    return Association(name, value, *_interval(statistic, first, second), _p(statistic, first, second, abs(value)))


def _p(
    statistic: Statistic, first: Sample, second: Sample, found: float, blocks: Sequence[NDArray[np.intp]] = ()
) -> float:
    """The share of permutations whose coefficient is as far from 0; never 0, because the pairs as they are count.

    Values change places inside each of `blocks`, or anywhere if there are none.
    """
    generator = np.random.default_rng(0)
    count = 1
    for start in range(1, PERMUTATIONS, AT_ONCE):
        size = min(AT_ONCE, PERMUTATIONS - start)
        moved = np.tile(first, (size, 1))
        for block in blocks or [np.arange(len(first))]:
            moved[:, block] = generator.permuted(moved[:, block], axis=1)
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


def without_one(first: Sequence[float], second: Sequence[float]) -> tuple[float | None, float | None]:
    """The least and the largest Pearson's r if one generator is left out; None for both where one gives none."""
    left = [[[*sample[:place], *sample[place + 1 :]] for sample in (first, second)] for place in range(len(first))]
    pairs = [(_standard(one), _standard(other)) for one, other in left]
    if not pairs or any(_objection(*pair) for pair in pairs):
        return None, None
    found = [float(pearson(*pair)) for pair in pairs]
    return min(found), max(found)


def partial(first: Sequence[float], second: Sequence[float], given: Sequence[Sequence[float]]) -> float | None:
    """Pearson's r of what linear regression on the samples of `given` leaves of both; None if it leaves nothing.

    None as well where `associate` gives a reason.
    """
    pair = _standard(first), _standard(second)
    if _objection(*pair):
        return None
    design = np.column_stack([np.ones(len(first)), *(np.asarray(sample, dtype=np.float64) for sample in given)])
    if len(first) <= np.linalg.matrix_rank(design) + 2:
        return None
    rests = []
    for values in pair:
        rest = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
        if np.linalg.norm(rest) <= ROUNDING * np.linalg.norm(values):
            return None
        rests.append(rest)
    return float(pearson(*rests))


def within(first: Sequence[float], second: Sequence[float], kinds: Sequence[str]) -> tuple[float | None, float | None]:
    """Pearson's r of what each kind's mean leaves, and its p-value, of permutations inside the kinds.

    None for both if it leaves nothing.
    """
    value = partial(first, second, [[float(one == kind) for one in kinds] for kind in dict.fromkeys(kinds)])
    if value is None:
        return None, None
    pair = _standard(first), _standard(second)
    places = [np.flatnonzero(np.asarray(kinds) == kind) for kind in dict.fromkeys(kinds)]
    for sample in pair:
        for place in places:
            sample[place] -= sample[place].mean()
    return value, _p(pearson, *pair, abs(value), places)


def curvature(first: Sequence[float], second: Sequence[float]) -> float | None:
    """p-value of the quadratic term if `second` is fitted by a parabola in `first` (t-test); None if it cannot be.

    None as well where `associate` gives a reason. The term is tested by its part that a line does not explain, which
    no far value drowns in rounding.
    """
    x, y = _standard(first), _standard(second)
    if _objection(x, y):
        return None
    terms, sizes = np.linalg.qr(np.column_stack([np.ones_like(x), x, x**2]))
    found = terms.T @ y
    freedom = len(x) - 3
    rest = float(((y - terms @ found) ** 2).sum())
    if abs(sizes[2, 2]) <= FLAT or rest <= ROUNDING**2:
        return None
    return float(2 * stats.t.sf(abs(found[2]) / np.sqrt(rest / freedom), freedom))
