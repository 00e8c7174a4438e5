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


@pytest.mark.parametrize("seed", range(5))
def test_what_two_samples_of_the_same_images_have_in_common_tells_them_apart_in_neither_way(seed: int) -> None:
    draws = np.random.default_rng(seed).normal(size=(3, 100, 12))
    images, first, second = 5 * draws[0], draws[1], draws[2]
    assert two_sample_accuracy(images, images, seed) == 0.5
    assert 0.35 < two_sample_accuracy(images + first, images + second, seed) < 0.65
    assert mmd(images + first, images + second, 200, seed)[1] > 0.01
    assert mmd(images, images + 0.5 + second, 200, seed)[1] == pytest.approx(1 / 201)  # small beside what they share


def test_the_discrepancy_is_the_unbiased_one() -> None:
    first, second = NORMAL[:7], NORMAL[7:14] * 2
    rows = np.concatenate([first, second])
    distances = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    width = np.median((distances**2)[np.triu_indices(14, 1)])

    def kernel(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.exp(-((one - other) ** 2).sum() / (2 * width)))

    def mean(one: np.ndarray, other: np.ndarray) -> float:
        """Over all pairs of different images."""
        return sum(kernel(a, b) for i, a in enumerate(one) for j, b in enumerate(other) if i != j) / 42

    expected = mean(first, first) + mean(second, second) - 2 * mean(first, second)
    assert mmd(first, second, 1, 0)[0] == pytest.approx(expected)


def test_cosines_and_dimensions_of_known_samples() -> None:
    axes = np.eye(4)
    assert mean_cosine(axes) == pytest.approx(0)
    assert mean_cosine(np.ones((3, 4)) * [[1], [2], [3]]) == pytest.approx(1)
    assert mean_cosine(axes[:1], -axes[:2]) == pytest.approx(-1 / 2)
    assert mean_cosine(np.zeros((3, 4))) == 0
    assert participation_ratio(np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])) == pytest.approx(2)
    assert participation_ratio(np.outer([1.0, 2, 3], [1, 1])) == pytest.approx(1)
    assert participation_ratio(np.zeros((3, 2))) == 0
