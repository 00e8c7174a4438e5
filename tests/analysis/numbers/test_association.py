"""Correlations, held against independent implementations and against cases whose answer is known."""

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from analysis.numbers.association import (
    Association,
    associate,
    caution,
    corrected,
    curvature,
    kendall,
    partial,
    pearson,
    spearman,
    within,
    without_one,
)

GENERATOR = np.random.default_rng(1)
X = GENERATOR.normal(size=26)
Y = 0.6 * X + GENERATOR.normal(size=26)
TIED = np.round(Y)


@pytest.mark.parametrize("other", [Y, TIED])
def test_coefficients_are_those_of_scipy_also_with_ties_and_along_an_axis(other: np.ndarray) -> None:
    assert pearson(X, other) == pytest.approx(stats.pearsonr(X, other).statistic)
    assert spearman(X, other) == pytest.approx(stats.spearmanr(X, other).statistic)
    assert kendall(X, other) == pytest.approx(stats.kendalltau(X, other).statistic)
    rows = np.stack([X, X[::-1]])
    for statistic in (pearson, spearman, kendall):
        assert statistic(rows, np.stack([other, other]))[1] == pytest.approx(statistic(X[::-1], other))


def test_intervals_and_p_values_are_those_of_independent_computations() -> None:
    r, rho, tau = associate(X, Y)
    assert [one.coefficient for one in (r, rho, tau)] == ["Pearson r", "Spearman rho", "Kendall tau-b"]
    assert r.p == pytest.approx(stats.pearsonr(X, Y).pvalue, abs=0.01)
    assert tau.p == pytest.approx(stats.kendalltau(X, Y).pvalue, abs=0.01)
    draws = np.random.default_rng(7).integers(0, 26, (20_000, 26))
    resampled = np.sort([np.corrcoef(X[draw], Y[draw])[0, 1] for draw in draws])
    # BCa by hand: bias from the share below, acceleration from leaving one out (Efron and Tibshirani 1993, 14.3).
    bias = stats.norm.ppf((resampled < r.value).mean())
    left_out = np.array([np.corrcoef(np.delete(X, i), np.delete(Y, i))[0, 1] for i in range(26)])
    spread = left_out.mean() - left_out
    acceleration = (spread**3).sum() / (6 * (spread**2).sum() ** 1.5)
    ends = []
    for z in stats.norm.ppf([0.025, 0.975]):
        share = stats.norm.cdf(bias + (bias + z) / (1 - acceleration * (bias + z)))
        ends.append(float(np.quantile(resampled, share)))
    assert [r.low, r.high] == pytest.approx(ends, abs=0.03)


def test_a_p_value_is_the_share_of_permutations_that_are_as_far_from_no_association() -> None:
    first, second = [1.0, 2.0, 3.0, 4.0, 7.0, 9.0], [2.0, 1.0, 3.0, 7.0, 4.0, 8.0]
    for one, statistic in zip(associate(first, second), (pearson, spearman, kendall), strict=True):
        every = np.array(list(permutations(first)))
        found = np.abs(statistic(every, np.broadcast_to(second, every.shape)))
        assert one.p == pytest.approx(
            np.mean(found >= abs(statistic(np.array(first), np.array(second))) - 1e-9), abs=0.003
        )


def test_what_cannot_be_told_is_said() -> None:
    assert {one.reason for one in associate([1], [1])} == {"1 generator is too few"}
    assert {one.reason for one in associate([1, 2, 3, 4], [1, 2, 3, 5])} == {"4 generators are too few"}
    constant = associate([1.0] * 9, list(range(9)))
    assert {one.reason for one in constant} == {"one of them is the same for every generator"}
    assert all(one.value is None and one.p is None for one in constant)
    assert caution([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 2, 3]) == "only 6 generators, 3 of 6 accuracies tied"
    assert caution(X.tolist(), Y.tolist()) == ""
    perfect = associate(list(range(8)), list(range(8)))
    assert [one.value for one in perfect] == pytest.approx([1, 1, 1])


def test_holm_steps_down_and_never_falls() -> None:
    family = [Association("a", p=p) for p in (0.01, 0.04, 0.03, 0.005)] + [Association("b", reason="none")]
    found = [one.p_holm for one in corrected(family)]
    assert found[:4] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert found[4] is None


def test_a_partial_correlation_is_that_of_the_recursion() -> None:
    z = X + GENERATOR.normal(size=26)
    xy, xz, yz = (np.corrcoef(*pair)[0, 1] for pair in ((X, Y), (X, z), (Y, z)))
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert partial(X.tolist(), Y.tolist(), [z.tolist()]) == pytest.approx(expected)
    assert partial(X.tolist(), Y.tolist(), [X.tolist()]) is None
    assert partial([1, 2, 3], [1, 3, 2], [[1, 1, 2]]) is None


def test_without_one_is_the_range_of_what_leaving_out_each_gives() -> None:
    found = [np.corrcoef(np.delete(X, place), np.delete(Y, place))[0, 1] for place in range(26)]
    assert without_one(X.tolist(), Y.tolist()) == pytest.approx((min(found), max(found)))
    assert without_one([1, 2, 3, 4, 5], [1, 3, 2, 4, 5]) == (None, None)  # four are left
    assert without_one([1, 1, 1, 1, 1, 2], [1, 3, 2, 4, 5, 6]) == (None, None)  # one decides everything
    assert without_one([], []) == (None, None)


def test_within_kinds_values_change_places_inside_their_kind_only() -> None:
    first, second, kinds = [1.0, 2.0, 3.0, 11.0, 12.0, 13.0], [1.0, 3.0, 2.0, 9.0, 7.0, 8.0], ["a"] * 3 + ["b"] * 3
    rests = [np.concatenate([np.array(own) - np.mean(own) for own in (one[:3], one[3:])]) for one in (first, second)]
    value, p = within(first, second, kinds)
    assert value == pytest.approx(np.corrcoef(*rests)[0, 1])
    every = [np.array([*left, *right]) for left in permutations(rests[0][:3]) for right in permutations(rests[0][3:])]
    found = np.array([abs(np.corrcoef(one, rests[1])[0, 1]) for one in every])
    assert p == pytest.approx(np.mean(found >= abs(value) - 1e-9), abs=0.005)
    assert within(first, second, list("abcdef")) == (None, None)


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e12, 1e300])
def test_the_unit_of_a_number_does_not_matter(size: float) -> None:
    x, y = X.tolist(), Y.tolist()
    for first, second in (((X * size).tolist(), y), (x, (Y * size).tolist())):
        for one, other in zip(associate(first, second), associate(x, y), strict=True):
            assert (one.value, one.p) == pytest.approx((other.value, other.p))
        assert partial(first, second, [TIED.tolist()]) == pytest.approx(partial(x, y, [TIED.tolist()]))
        assert curvature(first, second) == pytest.approx(curvature(x, y))


@pytest.mark.parametrize("value", [0.98, -2.3, 1.0, 13.37, 2080.0, 0.0])
def test_nothing_is_told_of_what_only_rounding_changes(value: float) -> None:
    constant = [value * (1 + 1e-16 * (number % 3)) for number in range(26)]
    for pair in ((constant, Y.tolist()), (X.tolist(), constant)):
        assert all(one.reason for one in associate(*pair))
        assert partial(*pair, [TIED.tolist()]) is None
        assert within(*pair, ["a", "b"] * 13) == (None, None)
        assert curvature(*pair) is None


def test_a_far_value_neither_hides_nor_makes_a_bend() -> None:
    near = [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.2, 1.4, 1.5, 1.7, 1.8]
    y = [0.3, 0.1, 0.25, 0.2, 0.4, 0.15, 0.35, 0.3, 0.2, 0.45, 0.4, 0.5]
    limit = curvature([*near, 1e5], y)
    assert limit is not None
    for far in (1e7, 1e8, 1e9, 1e10):
        assert curvature([*near, far], y) == pytest.approx(limit, rel=1e-3)
    assert curvature([*near, 1e15], y) is None


def by_least_squares(x: np.ndarray, y: np.ndarray) -> float:
    """p of the quadratic term, from the covariance of the coefficients of ordinary least squares."""
    terms = np.vander(x, 3)
    inverse = np.linalg.inv(terms.T @ terms)
    coefficients = inverse @ terms.T @ y
    rest = y - terms @ coefficients
    error = np.sqrt(rest @ rest / (len(x) - 3) * inverse[0, 0])
    return 2 * stats.t.sf(abs(coefficients[0] / error), len(x) - 3)


def test_a_parabola_is_found_and_a_line_is_not() -> None:
    assert curvature(X.tolist(), (X**2 + 0.1 * Y).tolist()) == pytest.approx(0, abs=1e-6)
    assert curvature(X.tolist(), Y.tolist()) == pytest.approx(by_least_squares(X, Y), rel=1e-9)
    assert curvature([1, 1, 2], [1, 2, 3]) is None
    assert curvature([1, 2, 3, 4], [1, 4, 9, 17]) is None  # as few have no coefficient either


def test_an_interval_is_not_made_of_resamples_without_a_coefficient() -> None:
    tied = associate([1, 1, 1, 1, 1, 2], [0.1, 0.12, 0.11, 0.13, 0.12, 0.5])
    assert tied[0].value == pytest.approx(0.9975, abs=1e-3)
    assert [(one.low, one.high) for one in tied] == [(None, None)] * 3
    assert associate(X.tolist(), Y.tolist())[0].low is not None
