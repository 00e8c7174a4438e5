import pytest
from scipy import stats

from analysis.estimates import Estimate, estimate


def test_no_run_has_no_mean() -> None:
    assert estimate([]) is None


def test_one_run_is_its_own_mean_and_says_nothing_of_its_error() -> None:
    assert estimate([0.25]) == Estimate(mean=0.25, half_width=None, count=1)


def test_two_runs_by_hand() -> None:
    found = estimate([0.4, 0.6])  # standard error 0.1, Student's 97.5 % quantile for one degree of freedom 12.7062
    assert found.mean == pytest.approx(0.5)
    assert found.half_width == pytest.approx(1.27062, abs=1e-5)


def test_the_interval_is_scipys() -> None:
    runs = [0.31, 0.35, 0.29, 0.4, 0.33]
    found = estimate(runs)
    low, high = stats.t.interval(0.95, len(runs) - 1, loc=found.mean, scale=stats.sem(runs))
    assert (found.mean - found.half_width, found.mean + found.half_width) == pytest.approx((low, high))
