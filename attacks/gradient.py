"""Adversarial training with gradient attacks."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bench.adversary import Linf, pgd
from bench.protocols import Attack
from bench.settings import Count, Positive, Radius


class Pgd(Attack):
    """Adversarial training: the victim learns from the worst images within a radius of each view (Madry et al.)."""

    source = "PGD (Madry et al., ICLR 2018) with the victim settings of REM and SEM for CIFAR-10"

    large: ClassVar[Mapping[str, Any]] = {"steps": 8, "rel_step_size": 0.25}

    radius: Radius = 4 / 255
    """l-inf bound of the perturbation."""
    steps: Count = 10
    """Signed-gradient steps for each batch."""
    rel_step_size: Positive = 0.2
    """Their size, relative to the radius: 0.8/255 at 4/255."""
    random_start: bool = True
    """Start from a uniform draw in the ball."""

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, source: torch.Generator) -> Tensor:
        """Maximise the cross-entropy within the ball around `images`."""
        return pgd(
            model,
            images,
            labels,
            ball=Linf(self.radius),
            steps=self.steps,
            rel_step_size=self.rel_step_size,
            source=source if self.random_start else None,
        )

    def passes_per_image(self) -> float:
        """One pass for each step."""
        return self.steps
