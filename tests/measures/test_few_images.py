"""Data that have too few images for a measure: it declines them, before any noise is made."""

import pytest
import torch

from bench.core.data import Outline
from bench.core.measures import Measure, Training
from bench.core.session import Session
from measures.noise_only import NoiseOnly
from measures.noise_robustness import NoiseRobustness
from measures.perturbations import Perturbations
from measures.separability import Separability
from methods.rem import Rem
from tests.measures.conftest import MakeSubject, class_patterns

CPU = torch.device("cpu")


def images(count: int) -> Outline:
    """So many training images of two classes."""
    return Outline(count, (3, 8, 8), 2)


@pytest.mark.parametrize(
    ("measure", "data", "expected"),
    [
        (
            Separability(folds=4, neighbours=61),
            images(80),
            "neighbours: must be at most 60, the images that 4 folds leave of 80, got 61",
        ),
        (
            NoiseOnly(held_out=0.004),
            images(80),
            "held_out 0.004 of 80 images leaves nothing to test on",
        ),
        (Perturbations(), images(4), "needs 5 images, got 4"),
    ],
)
def test_too_few_images_are_declined_in_one_line(measure: Measure, data: Outline, expected: str) -> None:
    assert measure.declines(data, Rem()) == expected
    assert measure.declines(images(2 * data.train_images), Rem()) == ""


def test_as_many_neighbours_as_there_may_be_are_measured(subject: MakeSubject, training: Training) -> None:
    noise = class_patterns(subject().clean, 8)
    found = Separability(folds=4, neighbours=60).measure(subject(noise), training, Session(0, CPU))
    assert found["linear"] == 1.0


def test_the_notes_say_why_nothing_was_measured(subject: MakeSubject, training: Training) -> None:
    session = Session(0, CPU)
    found = Separability(images=8, folds=4).measure(subject(), training, session)
    assert found == {"linear": None, "nearest": None}
    assert session.notes == {"not_measured": "of 8 images a class has 2, fewer than there are folds (4)"}


def test_the_smallest_settings_work(subject: MakeSubject, training: Training) -> None:
    small = NoiseRobustness(updates=1, images=1, adv_steps=1).measure(subject(), training, Session(0, CPU))
    assert all(isinstance(value, float) for value in small.values())
    held_out = NoiseOnly(held_out=0.999).measure(subject(), training, Session(0, CPU))
    assert 0 <= held_out["noise_accuracy"] <= 1
