"""Trainings that never left chance."""

from typing import Any

import pytest
from scipy import stats

from analysis.reading.collapse import has_collapsed
from analysis.reading.collapse import test_images as images_of


def record(train: float, test: float, *, dataset: str = "cifar10", **result: Any) -> dict[str, Any]:
    return {
        "result": {"train_accuracy": train, "final_accuracy": test, **result},
        "history": {"step": [700, 800]},
        "cell": {"dataset": {"name": dataset}, "train": {"batch_size": 64}},
    }


def above(images: int) -> float:
    """The least share that a one-sided binomial test at 0.1 % calls more than 0.1."""
    return next(
        right / images
        for right in range(images)
        if stats.binomtest(right, images, 0.1, alternative="greater").pvalue < 0.001
    )


def test_a_network_that_guesses_in_training_and_on_test_images_has_collapsed() -> None:
    train, test = above(6400), above(10_000)  # a hundred steps of 64 images since the look before
    assert has_collapsed(record(0.1, 0.1))
    assert has_collapsed(record(train - 1 / 6400, test - 1 / 10_000))
    assert not has_collapsed(record(train, test - 1 / 10_000))  # it fits what protects: that is protection
    assert not has_collapsed(record(train - 1 / 6400, test))  # an adversary hid from training what it learnt


def test_chance_is_as_recorded_or_as_the_data_set_has_it_and_else_unknown() -> None:
    assert not has_collapsed(record(0.1, 0.1, dataset="folder", test_images=180))
    assert has_collapsed(record(0.25, 0.24, dataset="folder", test_images=180, chance=0.25))
    assert not has_collapsed(record(0.25, 0.24, dataset="folder", chance=0.25))


@pytest.mark.parametrize(
    ("dataset", "result", "count"),
    [
        ({"name": "cifar10"}, {}, 10_000),
        ({"name": "synthetic", "test_images": 20}, {}, 20),
        ({"name": "folder"}, {}, None),
        ({"name": "folder"}, {"test_images": 180}, 180),
    ],
)
def test_the_number_of_test_images_is_recorded_or_that_of_the_data_set(
    dataset: dict[str, Any], result: dict[str, Any], count: int | None
) -> None:
    assert images_of({"result": result, "cell": {"dataset": dataset}}) == count
