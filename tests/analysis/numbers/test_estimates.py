import math

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from analysis.numbers.estimates import Estimate, estimate, estimate_over_noises, ratio, wilson


def test_no_run_has_no_mean() -> None:
    assert estimate([]) is None


def test_one_run_is_its_own_mean_and_says_nothing_of_its_error() -> None:
    assert estimate([0.25]) == Estimate(mean=0.25, half_width=None, count=1)


def test_two_runs_by_hand() -> None:
    found = estimate([0.4, 0.6])  # standard error 0.1, Student's 97.5 % quantile for one degree of freedom 12.7062
    assert found.mean == pytest.approx(0.5)
    assert found.half_width == pytest.approx(1.27062, abs=1e-5)


@pytest.mark.parametrize("value", [0.1, 0.5, -0.7, 1234.1, 1e-9, 0.0])
@pytest.mark.parametrize("count", [2, 3, 7])
def test_equal_runs_have_no_spread_at_all(value: float, count: int) -> None:
    assert estimate([value] * count).half_width == 0.0
    assert ratio([value] * count, [0.3] * count).half_width == 0.0
    assert ratio([0.1, 0.2, 0.7], [0.3, 0.6, 2.1]).half_width == 0.0


def test_the_least_spread_that_numbers_may_have_is_kept() -> None:
    assert estimate([0.1, 0.1 + 1e-11]).half_width > 0
    assert estimate([0.0, 1e-300]).half_width >= 0


def test_the_interval_is_scipys() -> None:
    runs = [0.31, 0.35, 0.29, 0.4, 0.33]
    found = estimate(runs)
    low, high = stats.t.interval(0.95, len(runs) - 1, loc=found.mean, scale=stats.sem(runs))
    assert (found.mean - found.half_width, found.mean + found.half_width) == pytest.approx((low, high))


def test_victims_of_one_noise_are_not_independent_so_noises_count() -> None:
    victims = [0.3, 0.5, None, 0.6, 0.7, 0.5]  # means 0.4 and 0.6
    found, means = estimate_over_noises(victims, 2), estimate([0.4, 0.6])
    assert (found.mean, found.half_width) == pytest.approx((means.mean, means.half_width))


def test_what_a_victim_seed_does_to_all_noises_is_in_the_interval() -> None:
    alike = [0.2, 0.3, 0.4, 0.2, 0.3, 0.4]  # two noises that are equal, three victims that are not
    found, over_victims = estimate_over_noises(alike, 2), estimate([0.2, 0.3, 0.4])
    assert (found.mean, found.count) == (pytest.approx(0.3), 2)
    assert found.half_width == pytest.approx(over_victims.half_width)
    apart = [0.2, 0.2, 0.4, 0.4]
    assert estimate_over_noises(apart, 2).half_width == pytest.approx(estimate([0.2, 0.4]).half_width)
    assert estimate_over_noises([*alike[:5], None], 2) == estimate([0.3, 0.25])  # the seeds cannot be compared


@pytest.mark.parametrize(("noise", "seed", "rest"), [(1, 0, 0.3), (0, 1, 0.3), (1, 1, 0.3), (0.3, 1, 1), (0, 0, 1)])
def test_intervals_over_noises_hold_the_mean_whatever_seeds_do(noise: float, seed: float, rest: float) -> None:
    draw = np.random.default_rng(0).normal
    runs = noise * draw(size=(2000, 3, 1)) + seed * draw(size=(2000, 1, 3)) + rest * draw(size=(2000, 3, 3))
    known = [estimate_over_noises(list(one.flatten()), 3) for one in runs]
    assert np.mean([one.low <= 0 <= one.high for one in known]) > 0.94


def test_of_a_single_noise_the_victims_count() -> None:
    assert estimate_over_noises([0.3, None, 0.5], 1) == estimate([0.3, 0.5])
    assert estimate_over_noises([None, None, 0.3, 0.5], 2) == Estimate(0.4, None, 1)  # one of two noises is none
    assert estimate_over_noises([None, None], 2) is None
    assert estimate_over_noises([], 0) is None


@pytest.mark.parametrize(("right", "images"), [(16, 180), (1680, 10_000), (0, 50), (50, 50)])
def test_the_interval_of_one_victim_holds_what_a_score_test_does_not_reject(right: int, images: int) -> None:
    share, z = right / images, stats.norm.ppf(0.975)

    def excess(true: float) -> float:
        return abs(share - true) - z * math.sqrt(true * (1 - true) / images)

    found = wilson(share, images)
    low = brentq(excess, 1e-12, share - 1e-12) if right else 0.0
    high = brentq(excess, share + 1e-12, 1 - 1e-12) if right < images else 1.0
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert found.half_width == pytest.approx(max(high - share, share - low))
    scipys = stats.binomtest(right, images).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((scipys.low, scipys.high))


def test_a_single_victim_has_it_if_it_was_planned_alone_and_its_images_are_known() -> None:
    assert estimate_over_noises([0.3], 1, 100) == wilson(0.3, 100)
    assert estimate_over_noises([0.3], 1) == Estimate(0.3, None, 1)
    assert estimate_over_noises([0.3, None], 1, 100) == Estimate(0.3, None, 1)
    assert estimate_over_noises([None], 1, 100) is None


def test_the_interval_of_a_ratio_is_that_of_fieller_if_the_second_mean_is_sure() -> None:
    ours, theirs = np.array([0.31, 0.35, 0.29, 0.4]), np.array([0.51, 0.50, 0.52, 0.505])
    found = ratio(ours.tolist(), theirs.tolist())
    t, count = stats.t.ppf(0.975, 3), 4
    (aa, ab), (_, bb) = np.cov(ours, theirs) / count
    a, b = ours.mean(), theirs.mean()
    ends = np.sort(np.roots([b**2 - t**2 * bb, -2 * (a * b - t**2 * ab), a**2 - t**2 * aa]))
    assert found.mean == pytest.approx(a / b)
    assert (found.low, found.high) == pytest.approx(ends, abs=0.005)
    assert ratio([0.1], [0.0]) is None
    assert ratio([], []) is None
