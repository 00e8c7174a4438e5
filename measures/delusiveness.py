"""Delusiveness, the test loss of a network trained on the released images, and stability, what perturbations leave."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.core import (
    Attack,
    Classifier,
    Cost,
    Measure,
    Method,
    Outline,
    Session,
    Subject,
    Training,
    frozen,
    in_order,
    train_victim,
    uniform,
)
from measures._adversary import AdversarialMeasure
from measures._images import AT_ONCE, logits_of


class Delusiveness(Measure):
    """Delusiveness (RD): the loss on clean test images of a network trained plainly on the released ones.

    The mean is dominated by images that the network is confidently wrong about: the median stands beside it.
    """

    title = "delusiveness"
    source = "SEM (Liu et al., AAAI 2024), Definition 4, by the victim's recipe with its flips and crops"
    trains = True
    numbers = {"loss": "RD", "median_loss": "median RD", "f": "F"}

    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        """Mean and median test loss, and F, the share of test images that the network gets wrong."""
        return _on_test(_trained(subject, training, session), subject)

    def cost(self, data: Outline, method: Method, training: Training) -> Cost:
        """One training."""
        return training.cost(data)


class Stability(AdversarialMeasure):
    """Stability (S): the least delusiveness that is left if every view is perturbed while the network trains.

    The perturbations are none, uniform noise, PGD on the network itself, which is adversarial training, and PGD on
    an independent network that was trained plainly on the same images.
    """

    title = "stability"
    source = "SEM (Liu et al., AAAI 2024), Definition 5, under perturbations of our choice"
    deviations: ClassVar[tuple[str, ...]] = (
        "the definition is reconstructed from words, as the worst delusiveness under a perturbation within the radius; "
        "the paper's formula is not known to us",
    )
    trains = True
    numbers = {"stability": "S"}

    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        """S, and for each perturbation the mean and median test loss and F."""
        plain = _trained(subject, training, session)
        perturbations: Mapping[str, list[Attack]] = {
            "uniform": [UniformNoise(radius=self.adv_radius)],
            "own": [self.adversary()],
            "independent": [self.adversary(plain)],
        }
        found = {"none": _on_test(plain, subject)}
        for name, attacks in perturbations.items():
            found[name] = _on_test(_trained(subject, training, session, name, attacks), subject)
        worst = min(found, key=lambda name: found[name]["loss"])
        return {"stability": found[worst]["loss"], "worst": worst, "perturbations": found}

    def cost(self, data: Outline, method: Method, training: Training) -> Cost:
        """Four trainings, two of them with PGD."""
        plain, adversarial = training.cost(data), training.cost(data, self.adv_steps)
        return plain + plain + adversarial + adversarial


class UniformNoise(Attack):
    """Adds uniform noise to every view."""

    source = "none"

    radius: float

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        return (images + uniform(images, self.radius, generator)).clamp(0, 1)


def _trained(
    subject: Subject, training: Training, session: Session, name: str = "none", attacks: list[Attack] | None = None
) -> Classifier:
    """A network trained on the released images as a victim is, from other weights for each `name`."""
    data = subject.released
    own = session.part(name)
    model = own.build_for(training.model, data)
    train_victim(model, data, test=subject.test, attacks=attacks or [], recipe=training.recipe, session=own)
    return model


def _on_test(model: Classifier, subject: Subject) -> dict[str, Any]:
    test = subject.test
    with frozen(model):
        logits = torch.cat([logits_of(model, test.floats(part)) for part in in_order(len(test), AT_ONCE)])
    losses = F.cross_entropy(logits, test.labels, reduction="none")
    wrong = (logits.argmax(1) != test.labels).float().mean().item()
    return {"loss": losses.mean().item(), "median_loss": losses.median().item(), "f": wrong}
