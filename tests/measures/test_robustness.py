"""R_theta and R_delta_u: their direction, shown on extremes, and their bounds."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.core.adversary import Linf, pgd
from bench.core.measures import Subject, Training
from bench.core.models import build
from bench.core.perturb import frozen
from bench.core.session import Session
from bench.core.train import update
from measures.noise_robustness import NoiseRobustness
from measures.surrogate_robustness import SurrogateRobustness
from methods.em import Em
from methods.sc import Sc
from tests.measures.conftest import DATA, MakeSubject, class_patterns, random_signs

CPU = torch.device("cpu")
SMALL: dict[str, Any] = {"images": 40, "turns": 2, "steps": 3}


def weights_of_surrogate(subject: Subject, network: str, radius: float) -> dict[str, Tensor]:
    """A network that learnt the images, against an adversary if there is a radius."""
    model = build(network, num_classes=4, channels=3, generator=torch.Generator().manual_seed(0))
    optimiser = torch.optim.SGD(model.parameters(), 0.1, 0.9)
    images, labels = subject.clean.floats(), subject.clean.labels
    for step in range(80):
        seen = images
        if radius:
            with frozen(model):
                generator = torch.Generator().manual_seed(step)
                seen = pgd(model, images, labels, ball=Linf(radius), steps=3, rel_step_size=0.5, generator=generator)
        update(model, seen, labels, optimiser)
    return {f"weights/{name}": value for name, value in model.state_dict().items()}


def test_a_surrogate_that_met_an_adversary_is_more_robust(
    subject: MakeSubject, training: Training, two_layers: str
) -> None:
    one = subject(class_patterns(subject().clean, 40), method=Em(surrogate=two_layers))
    one = replace(one, clean=one.released)  # images that a network can learn
    measure = SurrogateRobustness(**SMALL, radius=1 / 255, adv_radius=24 / 255)
    found = []
    for radius in (0.0, 24 / 255):
        kept = weights_of_surrogate(one, two_layers, radius)
        found.append(measure.measure(replace(one, kept=kept), training, Session(0, CPU)))
    assert found[1]["r_theta"] > found[0]["r_theta"] + 0.1
    assert all(-one["r_theta"] >= one["loss_after_descent"] for one in found)


def test_r_theta_without_a_move_is_minus_the_loss(subject: MakeSubject, training: Training, two_layers: str) -> None:
    kept = weights_of_surrogate(subject(), two_layers, 0)
    one = subject(method=Em(surrogate=two_layers), kept=kept)
    still = SurrogateRobustness(**SMALL, radius=1e-9, adv_radius=1e-9).measure(one, training, Session(0, CPU))
    model = build(two_layers, num_classes=4, channels=3, generator=torch.Generator())
    model.load_state_dict({name.removeprefix("weights/"): value for name, value in kept.items()})
    index = torch.cat([torch.arange(20 * label, 20 * label + 10) for label in range(4)])
    with frozen(model):
        loss = torch.nn.functional.cross_entropy(model(one.clean.floats(index)), one.clean.labels[index])
    assert still["r_theta"] == pytest.approx(-loss.item(), abs=1e-5)
    assert still["loss_after_descent"] == pytest.approx(loss.item(), abs=1e-5)


def test_no_surrogate_is_declined() -> None:
    assert SurrogateRobustness().declines(DATA, Sc()) == "makes its noise without a surrogate"
    assert SurrogateRobustness().declines(DATA, Em()) == ""


def test_noise_that_an_adversary_cannot_undo_is_more_robust(subject: MakeSubject, training: Training) -> None:
    measure = NoiseRobustness(updates=60, images=40, adv_steps=2, adv_rel_step_size=0.5)
    data = subject().clean
    strong, weak = (
        measure.measure(subject(noise), training, Session(0, CPU))
        for noise in (class_patterns(data, 40), random_signs(data, 40))
    )
    assert strong["r_delta_u"] > weak["r_delta_u"] + 0.2
    assert strong["perturbed_accuracy"] > weak["perturbed_accuracy"]
    again = measure.measure(subject(class_patterns(data, 40)), training, Session(0, CPU))
    assert again == strong


def test_the_forecast_of_passes_is_exact(subject: MakeSubject, training: Training, two_layers: str) -> None:
    kept = weights_of_surrogate(subject(), two_layers, 0)
    for measure in (SurrogateRobustness(**SMALL), NoiseRobustness(updates=3, images=40, adv_steps=2)):
        session = Session(0, CPU)
        measure.measure(subject(method=Em(surrogate=two_layers), kept=kept), training, session)
        assert session.passes == measure.cost(DATA, Em(surrogate=two_layers), training).passes
