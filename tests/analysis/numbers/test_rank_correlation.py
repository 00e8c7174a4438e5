"""Spearman's correlation: its interval holds the truth, which is known of normal pairs."""

import math

import numpy as np
import pytest

from analysis.numbers.rank_correlation import rank_correlation, rank_interval


@pytest.mark.parametrize("count", [8, 17])
@pytest.mark.parametrize("pearson", [0.0, -0.5, 0.8])
def test_the_interval_holds_the_correlation_of_normal_pairs(pearson: float, count: int) -> None:
    truth = 6 / math.pi * math.asin(pearson / 2)  # Spearman's of two normal variables with that correlation
    draws = np.random.default_rng(0).normal(size=(1500, 2, count))
    second = pearson * draws[:, 0] + math.sqrt(1 - pearson**2) * draws[:, 1]
    held = 0
    for x, y in zip(draws[:, 0], second, strict=True):
        found = rank_correlation(x.tolist(), y.tolist())
        assert found is not None
        low, high = rank_interval(found, count)
        held += low <= truth <= high
    assert held / 1500 > 0.93
