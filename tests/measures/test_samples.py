"""Statistics of samples, held against cases whose answer is known."""

import numpy as np
import pytest

from measures._samples import mean_cosine, mmd, participation_ratio, two_sample_accuracy

GENERATOR = np.random.default_rng(0)
NORMAL = GENERATOR.normal(size=(200, 12))


def test_halves_of_one_source_are_at_chance_and_shifted_ones_far_from_it() -> None:
    first, second = NORMAL[:100], NORMAL[100:]
    assert 0.35 < two_sample_accuracy(first, second, 0) < 0.65
    assert mmd(first, second, 200, 0)[1] > 0.05
    assert two_sample_accuracy(first, second + 2, 0) > 0.95
    discrepancy, p = mmd(first, second + 2, 200, 0)
    assert discrepancy > 0.1
    assert p == pytest.approx(1 / 201)


def test_the_discrepancy_is_the_unbiased_one() -> None:
    first, second = NORMAL[:7], NORMAL[7:12] * 2
    rows = np.concatenate([first, second])
    distances = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    width = np.median((distances**2)[np.triu_indices(12, 1)])

    def kernel(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.exp(-((one - other) ** 2).sum() / (2 * width)))

    within = [
        sum(kernel(a, b) for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j) / (n * (n - 1))
        for n, rows in ((7, first), (5, second))
    ]
    between = sum(kernel(a, b) for a in first for b in second) / 35
    assert mmd(first, second, 1, 0)[0] == pytest.approx(sum(within) - 2 * between)


def test_cosines_and_dimensions_of_known_samples() -> None:
    axes = np.eye(4)
    assert mean_cosine(axes) == pytest.approx(0)
    assert mean_cosine(np.ones((3, 4)) * [[1], [2], [3]]) == pytest.approx(1)
    assert mean_cosine(axes[:1], -axes[:2]) == pytest.approx(-1 / 2)
    assert mean_cosine(np.zeros((3, 4))) == 0
    assert participation_ratio(np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])) == pytest.approx(2)
    assert participation_ratio(np.outer([1.0, 2, 3], [1, 1])) == pytest.approx(1)
    assert participation_ratio(np.zeros((3, 2))) == 0
