"""Adversarial training: one plug-in for each inner maximiser. The victim learns from the perturbed images alone."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bench.adversary import L2, Linf, apgd, pgd, tpgd
from bench.protocols import Attack
from bench.settings import Count, Positive, Radius


class Pgd(Attack):
    """Adversarial training: the victim learns from the worst images within a radius of each view (Madry et al.)."""

    title = "PGD"
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


class PgdL2(Attack):
    """Adversarial training in an l2 ball, along normalised gradients."""

    title = "PGD l2"
    source = (
        "PGD with l2 norm, radii 0.25 to 0.75 as in CUDA (Sadasivan et al., CVPR 2023); step size 2.5 radius / steps"
    )

    l2_radius: Positive = 0.5
    """l2 bound of the perturbation of an image, in units of images in [0, 1]."""
    steps: Count = 10
    rel_step_size: Positive = 0.25
    """Length of a step, relative to the radius."""

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, source: torch.Generator) -> Tensor:
        """Maximise the cross-entropy within the ball around `images`, from a random start."""
        ball, step = L2(self.l2_radius), self.rel_step_size
        return pgd(model, images, labels, ball=ball, steps=self.steps, rel_step_size=step, source=source)

    def passes_per_image(self) -> float:
        """One pass for each step."""
        return self.steps


class Fgsm(Attack):
    """Adversarial training with a single large step: about two passes for each image instead of PGD's eleven."""

    title = "FGSM"
    source = "FGSM with random start (Wong et al., ICLR 2020); without start, Goodfellow et al., ICLR 2015"

    radius: Radius = 4 / 255
    """l-inf bound of the perturbation."""
    rel_step_size: Positive = 1.25
    """Size of the step, relative to the radius; 1 is the original FGSM."""
    random_start: bool = True
    """Start from a uniform draw in the ball; the original FGSM starts at the image."""

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, source: torch.Generator) -> Tensor:
        """One projected step up the cross-entropy."""
        one_step = Pgd(radius=self.radius, steps=1, rel_step_size=self.rel_step_size, random_start=self.random_start)
        return one_step.perturb(model, images, labels, source)

    def passes_per_image(self) -> float:
        """One pass."""
        return 1


class Tpgd(Attack):
    """Adversarial training against TPGD, which drives the prediction away from that of the clean view; no labels."""

    title = "TPGD"
    source = "the inner problem of TRADES (Zhang et al., ICML 2019), with its usual step of a quarter of the radius"

    radius: Radius = 4 / 255
    """l-inf bound of the perturbation."""
    steps: Count = 10
    rel_step_size: Positive = 0.25
    """Size of a step, relative to the radius: 2/255 at 8/255."""

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, source: torch.Generator) -> Tensor:
        """Maximise the divergence from the prediction on `images`."""
        ball, step = Linf(self.radius), self.rel_step_size
        return tpgd(model, images, ball=ball, steps=self.steps, rel_step_size=step, source=source)

    def passes_per_image(self) -> float:
        """One pass for each step; the prediction on the clean view needs no gradient."""
        return self.steps


class Apgd(Attack):
    """Adversarial training against Auto-PGD, whose step size adapts to each image; always the worst point met."""

    title = "APGD"
    source = "APGD (Croce and Hein, ICML 2020), cross-entropy"

    radius: Radius = 4 / 255
    """l-inf bound of the perturbation."""
    steps: Count = 10

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, source: torch.Generator) -> Tensor:
        """Maximise the cross-entropy within the ball around `images`."""
        return apgd(model, images, labels, ball=Linf(self.radius), steps=self.steps, source=source)

    def passes_per_image(self) -> float:
        """One pass for each step."""
        return self.steps
