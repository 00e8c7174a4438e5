"""Differences, ties and groups, held against scipy and against computations written anew."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.numbers.differences import Runs, difference, groups, holm, noncentrality, resolution, tied

GENERATOR = np.random.default_rng(3)


def league(generator: np.random.Generator, methods: int = 8, seeds: int = 3) -> dict[str, Runs]:
    """Methods that are all equal, with what their seeds do to all of them and noise of their own."""
    values = 0.3 + 0.02 * generator.normal(size=seeds) + 0.02 * generator.normal(size=(methods, seeds))
    return {f"m{number}": Runs(row.tolist()) for number, row in enumerate(values)}


def test_victims_of_the_same_seeds_are_compared_in_pairs() -> None:
    ours, theirs = [0.31, 0.35, 0.29, 0.4], [0.3, 0.31, 0.3, 0.33]
    found, expected = difference(Runs(ours), Runs(theirs)), stats.ttest_rel(ours, theirs)
    low, high = expected.confidence_interval(0.95)
    assert (found.mean, found.p) == pytest.approx((np.mean(ours) - np.mean(theirs), expected.pvalue))
    assert (found.mean - found.half_width, found.mean + found.half_width) == pytest.approx((low, high))


def test_victims_that_agree_to_one_test_image_are_not_known_any_better() -> None:
    ours, theirs = [0.25, 0.5, 0.25], [0.5, 0.75, 0.5]
    assert difference(Runs(ours), Runs(theirs)).p == 0
    found = difference(Runs(ours, step=0.01), Runs(theirs, step=0.01))
    assert found.error == pytest.approx(0.01 * np.sqrt(2 / 12 / 3))  # of two roundings, over three victims
    spread = difference(Runs([0.1, 0.5, 0.25]), Runs(theirs))
    assert spread == difference(Runs([0.1, 0.5, 0.25], step=0.01), Runs(theirs, step=0.01))


def test_noises_are_the_pairs_if_both_have_several_and_only_common_seeds_count() -> None:
    ours, theirs = Runs([0.3, 0.5, None, 0.6, 0.7, 0.5], 3), Runs([0.1, 0.2, 0.3, 0.2, 0.2, None], 3)
    found = difference(ours, theirs)
    expected = stats.ttest_1samp([(0.2 + 0.3) / 2, 0.4, 0.5], 0)
    assert (found.mean, found.p, found.count) == pytest.approx((np.mean([0.25, 0.4, 0.5]), expected.pvalue, 3))


def test_what_a_seed_does_to_the_difference_of_all_noises_is_no_certainty() -> None:
    differences = np.array([[0.1, 0.2, 0.3], [0.11, 0.19, 0.3], [0.1, 0.2, 0.31]])  # noises agree, victim seeds do not
    theirs = GENERATOR.normal(size=9)
    found = difference(Runs((differences.flatten() + theirs).tolist(), 3), Runs(theirs.tolist(), 3))
    over_noises, over_seeds = (stats.ttest_1samp(differences.mean(axis), 0).pvalue for axis in (1, 0))
    assert over_noises < 0.001 < over_seeds
    assert (found.p, found.count) == pytest.approx((over_seeds, 3))


def test_as_many_noises_on_one_side_only_are_two_samples() -> None:
    noises, victims = [0.2, 0.3, 0.4, 0.5, 0.3, 0.4], [0.1, 0.12, 0.13]
    found = difference(Runs(noises, 3), Runs(victims))
    expected = stats.ttest_ind([0.25, 0.45, 0.35], victims, equal_var=False)
    assert (found.p, found.freedom) == pytest.approx((expected.pvalue, expected.df))


@pytest.mark.parametrize("theirs", [Runs([0.2]), Runs([None, 0.3]), Runs([])])
def test_one_seed_has_no_test(theirs: Runs) -> None:
    found = difference(Runs([0.1, None]), theirs)
    assert found is None or found.p is None


def test_holm_is_that_of_a_step_down_written_anew() -> None:
    values = GENERATOR.uniform(0, 0.2, 9).tolist()
    rejected_at = []
    for value in values:  # the smallest level at which Holm's procedure rejects it
        levels = np.linspace(0, 1, 20_001)
        ordered = sorted(values)
        place = ordered.index(value)
        needed = max(min(1.0, (len(values) - step) * ordered[step]) for step in range(place + 1))
        rejected_at.append(levels[np.searchsorted(levels, needed)])
    assert holm([*values, None]) == [*(pytest.approx(level, abs=1e-4) for level in rejected_at), None]


def test_ties_are_those_of_corrected_tests_against_the_best() -> None:
    spread = np.array([-0.01, 0.0, 0.011])
    rows = {
        name: Runs((mean + spread * size).tolist())
        for name, (mean, size) in {"a": (0.1, 1), "b": (0.11, -1), "c": (0.5, 2), "d": (0.9, -1)}.items()
    }
    p = {name: stats.ttest_rel(rows[name].values, rows["a"].values).pvalue for name in "bcd"}
    order = sorted(p, key=p.get)
    stepped = {name: max((3 - step) * p[order[step]] for step in range(order.index(name) + 1)) for name in p}
    assert tied("a", rows) == {name for name, value in stepped.items() if value >= 0.05} == {"b"}
    assert groups(rows) == {"a": 1, "b": 1, "c": 2, "d": 3}


def test_what_cannot_be_tested_is_tied() -> None:
    assert tied("a", {"a": Runs([0.1, 0.1]), "b": Runs([0.9, None]), "c": Runs([0.5, 0.5])}) == {"b"}


def test_equal_methods_have_no_winner_and_the_truly_best_is_seldom_left_out() -> None:
    generator, won, lost = np.random.default_rng(0), 0, 0
    for _ in range(1000):
        rows = league(generator)
        best = min(rows, key=lambda name: rows[name].mean)
        among = {best, *tied(best, rows)}
        won += len(among) == 1
        lost += "m0" not in among  # any of them may be called the truly best
    assert won <= 50
    assert lost <= 50


def test_a_method_that_is_better_is_found() -> None:
    generator, found = np.random.default_rng(0), 0
    for _ in range(100):
        rows = league(generator, seeds=5)
        rows["m0"] = Runs([one - 0.3 for one in rows["m0"].values])
        found += tied("m0", rows) == set()
    assert found >= 95


@pytest.mark.parametrize("seeds", [2, 3, 6])
def test_the_smallest_difference_is_found_in_four_of_five_experiments(seeds: int) -> None:
    generator = np.random.default_rng(seeds)
    spread = 0.02 * math.sqrt(2)
    size = noncentrality(seeds - 1) * spread / math.sqrt(seeds)
    found = stats.ttest_1samp(size + spread * generator.normal(size=(20_000, seeds)), 0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.01)


def test_the_pooled_spread_is_that_of_an_analysis_of_variance() -> None:
    columns = [GENERATOR.normal(size=(5, 3)) for _ in range(2)]
    rests = [table - table.mean(0) - table.mean(1, keepdims=True) + table.mean() for table in columns]
    rest = np.mean([(one**2).sum() / 8 for one in rests])  # mean square of what rows and seeds do not explain
    found = resolution([{str(row): Runs(one.tolist()) for row, one in enumerate(table)} for table in columns])
    assert found.difference == pytest.approx(noncentrality(2) * math.sqrt(2 * rest / 3))
    assert found.count == 3


def test_single_runs_show_no_difference() -> None:
    assert resolution([{"a": Runs([0.1]), "b": Runs([0.2])}]) is None
