"""Measures that train as victims do, and the separability of noise."""

import pytest
import torch

from bench.core.measures import Subject, Training
from bench.core.session import Session
from bench.core.train import evaluate, train
from measures.delusiveness import Delusiveness, Stability
from measures.noise_only import NoiseOnly
from measures.separability import Separability
from methods.random_noise import RandomNoise
from tests.conftest import MadeUp
from tests.measures.conftest import DATA, MakeSubject, class_patterns, random_signs

CPU = torch.device("cpu")


def test_noise_of_a_class_is_separable_and_random_noise_is_not(subject: MakeSubject, training: Training) -> None:
    data = subject().clean
    patterned, random = (
        Separability(images=80, folds=4).measure(subject(noise), training, Session(0, CPU))
        for noise in (class_patterns(data, 8), random_signs(data, 8))
    )
    assert patterned == {"linear": 1.0, "nearest": 1.0}
    assert all(value < 0.5 for value in random.values())
    few = Separability(images=8, folds=4).measure(subject(), training, Session(0, CPU))
    assert few == {"linear": None, "nearest": None}


def test_a_class_without_images_is_no_class_with_too_few(made_up: MadeUp, training: Training) -> None:
    clean = made_up([label for label in (1, 3) for _ in range(10)], classes=5, low=60, high=196)
    patterned = clean.protected(class_patterns(clean, 8).to(torch.int8))
    one = Subject(RandomNoise(), clean, patterned, clean, {})
    found = Separability(images=20, folds=4).measure(one, training, Session(0, CPU))
    assert found == {"linear": 1.0, "nearest": 1.0}


def test_a_network_learns_patterns_alone_and_nothing_of_random_noise(subject: MakeSubject, training: Training) -> None:
    data = subject().clean
    measure = NoiseOnly(held_out=0.25)
    patterned, random = (
        measure.measure(subject(noise), training, Session(0, CPU))
        for noise in (class_patterns(data, 30), random_signs(data, 30))
    )
    assert patterned["noise_accuracy"] > random["noise_accuracy"] + 0.25
    assert 0 <= patterned["clean_accuracy"] <= 1


def test_delusiveness_is_the_test_loss_of_a_victim(subject: MakeSubject, training: Training) -> None:
    one = subject()
    found = Delusiveness().measure(one, training, Session(0, CPU))
    session = Session(0, CPU).part("none")
    model = session.build(training.model, num_classes=4, channels=3, size=(8, 8))
    train(model, one.released, test=one.test, attacks=[], recipe=training.recipe, session=session)
    loss, accuracy = evaluate(model, one.test)
    assert found["loss"] == pytest.approx(loss, abs=1e-5)
    assert found["f"] == pytest.approx(1 - accuracy)
    assert found["median_loss"] > 0


def test_stability_is_the_least_delusiveness_of_four(subject: MakeSubject, training: Training) -> None:
    one = subject(class_patterns(subject().clean, 16))
    session = Session(0, CPU)
    measure = Stability(adv_steps=2, adv_rel_step_size=0.5, adv_radius=16 / 255)
    found = measure.measure(one, training, session)
    losses = {name: about["loss"] for name, about in found["perturbations"].items()}
    assert set(losses) == {"none", "uniform", "own", "independent"}
    assert len(set(losses.values())) == 4
    assert found["stability"] == min(losses.values()) == losses[found["worst"]]
    assert losses["none"] == Delusiveness().measure(one, training, Session(0, CPU))["loss"]
    assert session.passes == measure.cost(DATA, one.method, training).passes
