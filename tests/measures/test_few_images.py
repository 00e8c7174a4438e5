"""Data that have too few images for a measure: one line that says what is allowed, and nothing printed."""

import warnings

import pytest
import torch

from bench.core.measures import Measure, Training
from bench.core.session import Session
from measures.noise_only import NoiseOnly
from measures.noise_robustness import NoiseRobustness
from measures.perturbations import Perturbations
from measures.separability import Separability
from tests.measures.conftest import MakeSubject, class_patterns

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (
            Separability(folds=4, neighbours=61),
            "neighbours: must be at most 60, the images that 4 folds leave of 80, got 61",
        ),
        (
            NoiseOnly(held_out=1e-9),
            "held_out: must be more than 0.00625, or nothing is left to test on of 80 images, got 1e-09",
        ),
    ],
)
def test_too_few_images_are_one_line_and_no_warning(
    measure: Measure, expected: str, subject: MakeSubject, training: Training
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="must be") as caught:
            measure.measure(subject(), training, Session(0, CPU))
    assert str(caught.value) == expected


def test_as_many_neighbours_as_there_may_be_are_measured(subject: MakeSubject, training: Training) -> None:
    noise = class_patterns(subject().clean, 8)
    found = Separability(folds=4, neighbours=60).measure(subject(noise), training, Session(0, CPU))
    assert found["linear"] == 1.0


def test_perturbations_of_few_images_fail_before_anything_is_trained(
    subject: MakeSubject, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("measures.perturbations.balanced", lambda labels, count: torch.arange(4))
    session = Session(0, CPU)
    with pytest.raises(ValueError, match=r"^images: must be at least 5, and the data have 4$"):
        Perturbations().measure(subject(), training, session)
    assert session.passes == 0


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
