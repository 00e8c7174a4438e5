"""The adversary that several measures train or test networks against."""

import torch
from pydantic import ConfigDict
from torch import Tensor, nn

from bench.core import Attack, Count, Linf, Measure, Part, Positive, Radius, frozen, pgd


class Adversary(Attack):
    """PGD in an l-inf ball around each view: on another `network`, or on the one that trains."""

    source = "none"
    model_config = ConfigDict(arbitrary_types_allowed=True)

    radius: float
    steps: int
    rel_step_size: float
    network: nn.Module | None = None

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        network = self.network or model
        with frozen(network):
            return pgd(
                network,
                images,
                labels,
                ball=Linf(self.radius),
                steps=self.steps,
                rel_step_size=self.rel_step_size,
                generator=generator,
            )


class AdversarialMeasure(Measure):
    """A measure with an adversary."""

    adv_radius: Radius = 4 / 255
    """l-inf bound of the adversary."""
    adv_steps: Count = 10
    """Its steps."""
    adv_rel_step_size: Positive = 0.2
    """Their size, relative to its radius."""

    def adversary(self, network: nn.Module | None = None) -> Adversary:
        """PGD with these numbers, on `network` or on the one that trains."""
        return Adversary(
            radius=self.adv_radius, steps=self.adv_steps, rel_step_size=self.adv_rel_step_size, network=network
        )

    def uses(self) -> tuple[Part, ...]:
        return (pgd,)
