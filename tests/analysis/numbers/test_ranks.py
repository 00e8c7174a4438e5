"""Intervals of ranks, held against an enumeration of all resamples and against leagues whose order is known."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from analysis.numbers.differences import Runs
from analysis.numbers.ranks import rank_intervals, stretch


def test_the_interval_is_that_of_all_resamples_stretched_to_students_width() -> None:
    values = {"a": [0.1, 0.14, 0.12], "b": [0.13, 0.16, 0.15], "c": [0.3, 0.34, 0.29], "d": [0.31, 0.3, 0.35]}
    table = np.array(list(values.values()))
    wide = stats.t.ppf(0.975, 2) / 1.959964 * np.sqrt(3 / 2)
    centre = table.mean(axis=1)
    ranks = []
    for draw in product(range(3), repeat=3):
        means = centre + wide * (table[:, list(draw)].mean(axis=1) - centre)
        ranks.append([(means < one).sum() + 1 for one in means])
    ordered = np.sort(np.array(ranks), axis=0)  # 27 resamples of the same probability: the first beyond 2.5 %
    expected = {name: (ordered[0, row], ordered[26, row]) for row, name in enumerate(values)}
    assert rank_intervals({name: Runs(runs) for name, runs in values.items()}) == expected
    assert stretch(3) == pytest.approx(wide)


@pytest.mark.parametrize("gap", [0.5, 2.0])
def test_an_interval_holds_the_true_rank(gap: float) -> None:
    generator, held = np.random.default_rng(1), []
    for _ in range(40):
        table = gap * np.arange(6)[:, None] + generator.normal(size=3) + generator.normal(size=(6, 3))
        found = rank_intervals({str(row): Runs(one.tolist()) for row, one in enumerate(table)})
        held += [found[str(row)][0] <= row + 1 <= found[str(row)][1] for row in range(6)]
    assert np.mean(held) >= 0.95


def test_two_seeds_are_too_few() -> None:
    assert rank_intervals({"a": Runs([0.1, 0.2, 0.3]), "b": Runs([0.1, 0.2])}) == {}
    assert rank_intervals({}) == {}
