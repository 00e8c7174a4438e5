import pytest
from scipy import stats

from analysis.estimates import Estimate, estimate, estimate_over_noises


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


def test_victims_of_one_noise_are_not_independent_so_noises_count() -> None:
    victims = [0.3, 0.5, None, 0.6, 0.7, 0.5]  # means 0.4 and 0.6
    found, means = estimate_over_noises(victims, 2), estimate([0.4, 0.6])
    assert (found.mean, found.half_width) == pytest.approx((means.mean, means.half_width))


def test_of_a_single_noise_the_victims_count() -> None:
    assert estimate_over_noises([0.3, None, 0.5], 1) == estimate([0.3, 0.5])
    assert estimate_over_noises([None, None, 0.3, 0.5], 2) == Estimate(0.4, None, 1)  # one of two noises is none
    assert estimate_over_noises([None, None], 2) is None
    assert estimate_over_noises([], 0) is None
