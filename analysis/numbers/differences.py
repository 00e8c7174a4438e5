"""Rows against each other: paired differences, tests, ties, groups of ties, and what could be seen at all.

Runs are compared over common seeds. What is independent are noises if there are several, else victims of one noise.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import combinations

from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import chi, norm
from scipy.stats import t as student

from analysis.numbers.estimates import by_noise, deviation, less_sure, quantile, units

LEVEL = 0.05
"""Of every test, after Holm's correction where there are several."""
POWER = 0.8


@dataclass(frozen=True)
class Runs:
    """The runs of one row, the first noise first; None if one is missing."""

    values: Sequence[float | None]
    noises: int = 1
    widening: float = 1.0
    """How many times the error of independent victims the mean of these may have; noises are independent."""
    step: float = 0.0
    """Between neighbouring values, such as one test image; victims that agree to it need not agree any further."""

    @property
    def units(self) -> list[float]:
        """What is independent of them."""
        return units(self.values, self.noises)

    @property
    def widening_of_units(self) -> float:
        """How many times the error of independent units their mean may have."""
        return self.widening if self.noises == 1 else 1.0

    @property
    def whole(self) -> bool:
        """Whether none is missing."""
        return bool(self.values) and None not in self.values

    @property
    def mean(self) -> float:
        """Over the units."""
        return statistics.fmean(self.units)


@dataclass(frozen=True)
class Difference:
    """A mean difference with its standard error, None if one unit alone cannot have any."""

    mean: float
    error: float | None
    freedom: float
    count: int
    """Units on each side, the fewer ones."""

    @property
    def p(self) -> float | None:
        """Of no difference, two-sided."""
        if self.error is None:
            return None
        if self.error == 0:
            return float(self.mean == 0)
        return float(2 * student.sf(abs(self.mean / self.error), self.freedom))

    @property
    def half_width(self) -> float | None:
        """Of Student's 95 % interval."""
        return None if self.error is None else quantile(self.freedom) * self.error


def difference(ours: Runs, theirs: Runs) -> Difference | None:
    """Ours less theirs; None if they have no seed in common.

    With as many noises on both sides it is paired by noise and victim seed, and the less sure of two: over noises, or
    over victim seeds if no value is missing. Else the sides are independent samples of their own units, with Welch's
    degrees of freedom.
    """
    if ours.noises == theirs.noises:
        pairs = zip(by_noise(ours.values, ours.noises), by_noise(theirs.values, theirs.noises), strict=False)
        points: list[float | None] = []
        size = min((len(group) for runs in (ours, theirs) for group in by_noise(runs.values, runs.noises)), default=0)
        for left, right in pairs:
            both = zip(left[:size], right[:size], strict=True)
            points += [None if a is None or b is None else a - b for a, b in both]
        of = partial(_of_sample, step=math.hypot(ours.step, theirs.step))
        of_victims = partial(of, widening=max(ours.widening, theirs.widening))
        return less_sure(of, ours.noises, points, of_victims=of_victims)
    first, second = (_of_sample(runs.units, runs.step, runs.widening_of_units) for runs in (ours, theirs))
    if first is None or second is None:
        return None
    count = min(first.count, second.count)
    if first.error is None or second.error is None:
        return Difference(first.mean - second.mean, None, 0, count)
    parts = first.error**2, second.error**2
    below = parts[0] ** 2 / first.freedom + parts[1] ** 2 / second.freedom
    freedom = sum(parts) ** 2 / below if below else first.freedom + second.freedom
    return Difference(first.mean - second.mean, math.sqrt(sum(parts)), freedom, count)


def _of_sample(values: Sequence[float], step: float, widening: float = 1.0) -> Difference | None:
    """The mean of some units: their spread is at least that of rounding to a step, which is a twelfth of its square."""
    if not values:
        return None
    count = len(values)
    spread = max(deviation(values), step / math.sqrt(12)) if count > 1 else 0.0
    error = widening * spread / math.sqrt(count) if count > 1 else None
    return Difference(statistics.fmean(values), error, count - 1, count)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """The same corrected for their number after Holm (1979); those that are None are not counted."""
    tested = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    found: list[float | None] = [None] * len(p_values)
    worst = 0.0
    for rank, (p, place) in enumerate(tested):
        worst = max(worst, min(1.0, (len(tested) - rank) * p))
        found[place] = worst
    return found


def tied(best: str, rows: Mapping[str, Runs]) -> set[str]:
    """The rows that cannot be told from that of `best`, by Holm-corrected tests of each other one against it.

    Whichever row the runs make the best, the truly best one is in this set, or is it, with 95 % probability: it is
    tested against each of the others, of which the best is one. A row without a test cannot be told from any.
    """
    others = [name for name in rows if name != best]
    found = [difference(rows[name], rows[best]) for name in others]
    corrected = holm([one.p if one else None for one in found])
    return {name for name, p in zip(others, corrected, strict=True) if p is None or p >= LEVEL}


def groups(rows: Mapping[str, Runs]) -> dict[str, int]:
    """The number of the group of each row: 1 has the lowest mean and all that cannot be told from it, 2 so the rest."""
    left = dict(sorted(rows.items(), key=lambda row: row[1].mean))
    found: dict[str, int] = {}
    number = 0
    while left:
        number += 1
        best = next(iter(left))
        for name in {best, *tied(best, left)}:
            found[name] = number
            del left[name]
    return found


@dataclass(frozen=True)
class Resolution:
    """The smallest true difference of two rows that a test would show with 80 % power at 5 %, uncorrected."""

    difference: float
    count: int
    """Units on each side of a comparison."""
    over: str
    """What they are: `noises` or `victims`."""


def resolution(columns: Sequence[Mapping[str, Runs]]) -> Resolution | None:
    """Of the rows of some columns, from the spread of all their paired differences; None if no two can be compared.

    Comparisons have the number of units, of the same kind, that most have.
    """
    spreads: dict[tuple[str, int], list[float]] = {}
    for rows in columns:
        for one, other in combinations(rows.values(), 2):
            found = difference(one, other) if one.noises == other.noises else None
            if found and found.error is not None:
                over = "noises" if one.noises > 1 else "victims"
                spreads.setdefault((over, found.count), []).append(found.error**2 * found.count)
    if not spreads:
        return None
    over, count = max(spreads, key=lambda kind: len(spreads[kind]))
    spread = math.sqrt(statistics.fmean(spreads[over, count]))
    return Resolution(noncentrality(count - 1) * spread / math.sqrt(count), count, over)


@cache
def noncentrality(freedom: int) -> float:
    """How many standard errors a difference must have for Student's two-sided test to find it with that power."""
    limit = float(student.isf(LEVEL / 2, freedom)) / math.sqrt(freedom)

    def missing(shift: float) -> float:
        def found(root: float) -> float:
            """The density of the spread's root, times the probability that the test then finds the shift."""
            tails = norm.sf(limit * root - shift) + norm.cdf(-limit * root - shift)
            return float(chi.pdf(root, freedom) * tails)

        return float(quad(found, 0, math.sqrt(freedom) + 10)[0]) - POWER

    return float(brentq(missing, 0.1, 100))
