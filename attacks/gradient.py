"""Adversarial training: one plug-in for each inner maximiser. The victim learns from the perturbed images alone."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bench.core import L2, Attack, Ball, Count, Linf, Positive, Radius, apgd, pgd, tpgd


class AdversarialTraining(Attack, ABC):
    """An attack that trains on perturbed images near the views."""

    @property
    @abstractmethod
    def ball(self) -> Ball:
        """What holds the perturbations."""


class ManySteps(AdversarialTraining, ABC):
    """An ascent with an input gradient in each step."""

    steps: Count = 10
    """Steps up the gradient for each batch."""

    def passes_per_image(self) -> float:
        """One pass for each step."""
        return self.steps


class InLinf(AdversarialTraining, ABC):
    """Perturbations are bounded in each value."""

    radius: Radius = 4 / 255
    """l-inf bound of the perturbation."""

    @property
    def ball(self) -> Linf:
        return Linf(self.radius)


class InL2(AdversarialTraining, ABC):
    """Perturbations are bounded in the norm of each image."""

    l2_radius: Positive = 0.5
    """l2 bound of the perturbation of an image, in units of images in [0, 1]."""

    @property
    def ball(self) -> L2:
        return L2(self.l2_radius)


class Pgd(ManySteps, InLinf):
    """Adversarial training: the victim learns from the worst images within a radius of each view (Madry et al.)."""

    title = "PGD"
    source = "PGD (Madry et al., ICLR 2018) with the victim settings of REM and SEM for CIFAR-10"
    large: ClassVar[Mapping[str, Any]] = {"steps": 8, "rel_step_size": 0.25}

    rel_step_size: Positive = 0.2
    """Size of a step, relative to the radius: 0.8/255 at 4/255."""
    random_start: bool = True
    """Start from a uniform draw in the ball."""

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Maximise the cross-entropy within the ball around `images`."""
        start, step = generator if self.random_start else None, self.rel_step_size
        return pgd(model, images, labels, ball=self.ball, steps=self.steps, rel_step_size=step, generator=start)


class PgdL2(ManySteps, InL2):
    """Adversarial training in an l2 ball, along normalised gradients."""

    title = "PGD l2"
    source = (
        "PGD with l2 norm, radii 0.25 to 0.75 as in CUDA (Sadasivan et al., CVPR 2023); step size 2.5 radius / steps"
    )

    rel_step_size: Positive = 0.25
    """Length of a step, relative to the radius."""

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Maximise the cross-entropy within the ball around `images`, from a random start."""
        step = self.rel_step_size
        return pgd(model, images, labels, ball=self.ball, steps=self.steps, rel_step_size=step, generator=generator)


class OneStep(AdversarialTraining, ABC):
    """A single large step up the cross-entropy."""

    rel_step_size: Positive = 1.25
    """Size of the step, relative to the radius; 1 is the original FGSM."""
    random_start: bool = True
    """Start from a random point of the ball; the original FGSM starts at the image."""

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """One projected step up the cross-entropy."""
        start, step = generator if self.random_start else None, self.rel_step_size
        return pgd(model, images, labels, ball=self.ball, steps=1, rel_step_size=step, generator=start)

    def passes_per_image(self) -> float:
        """One pass."""
        return 1


class Fgsm(OneStep, InLinf):
    """Adversarial training with a single large step: about two passes for each image instead of PGD's eleven."""

    title = "FGSM"
    source = "FGSM with random start (Wong et al., ICLR 2020); without start, Goodfellow et al., ICLR 2015"


class FgsmL2(OneStep, InL2):
    """FGSM in an l2 ball: a single step along the normalised gradient."""

    title = "FGSM l2"
    source = "FGSM (Goodfellow et al., ICLR 2015) with the settings of Wong et al. (ICLR 2020), in the ball of PGD l2"


class Divergence(ManySteps, ABC):
    """The ascent of TRADES."""

    rel_step_size: Positive = 0.25
    """Size of a step, relative to the radius: 2/255 at 8/255."""

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Maximise the divergence from the prediction on `images`, which takes no gradient."""
        step = self.rel_step_size
        return tpgd(model, images, ball=self.ball, steps=self.steps, rel_step_size=step, generator=generator)


class Tpgd(Divergence, InLinf):
    """Adversarial training against TPGD, which drives the prediction away from that of the clean view; no labels."""

    title = "TPGD"
    source = "the inner problem of TRADES (Zhang et al., ICML 2019), with its usual step of a quarter of the radius"


class TpgdL2(Divergence, InL2):
    """TPGD in an l2 ball, along normalised gradients."""

    title = "TPGD l2"
    source = "the inner problem of TRADES (Zhang et al., ICML 2019), in the ball and with the steps of PGD l2"


class AutoPgd(ManySteps, ABC):
    """The ascent of Auto-PGD."""

    deviations = ("the loss is the cross-entropy; the official code also has the ratio of logit differences (DLR)",)

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Maximise the cross-entropy within the ball around `images`."""
        return apgd(model, images, labels, ball=self.ball, steps=self.steps, generator=generator)


class Apgd(AutoPgd, InLinf):
    """Adversarial training against Auto-PGD, whose step size adapts to each image; always the worst point met."""

    title = "APGD"
    source = "APGD (Croce and Hein, ICML 2020), cross-entropy"
    repository = "fra31/auto-attack"


class ApgdL2(AutoPgd, InL2):
    """Auto-PGD in an l2 ball."""

    title = "APGD l2"
    source = "APGD (Croce and Hein, ICML 2020), cross-entropy, in the ball of PGD l2"
    repository = "fra31/auto-attack"
