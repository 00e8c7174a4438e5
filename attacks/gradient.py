"""Adversarial training: one plug-in for each inner maximiser. The victim learns from the perturbed images alone."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor, nn

from bench.core import (
    IMAGES_PER_PASS,
    L2,
    Added,
    Attack,
    Ball,
    Classifier,
    Cost,
    Count,
    ImageDataset,
    Linf,
    Part,
    Positive,
    Radius,
    Session,
    apgd,
    frozen,
    pgd,
    tpgd,
)

EXAMINED = 0.02
"""Share of the training's passes that go into the accuracy under PGD."""
EXAMINER_STEPS = 10
"""Of that PGD, whatever the adversary of the training is; each is a quarter of the radius."""
FEWEST = 16
"""Test images that are examined even after the shortest training."""


class AdversarialTraining(Attack):
    """Trains on what an ascent finds in a ball around each view, by an input gradient for each step."""

    steps: Count = 10
    """Steps up the gradient for each batch."""
    radius: Radius = 4 / 255
    """l-inf bound of the perturbation."""

    @property
    def ball(self) -> Ball:
        """What holds the perturbations."""
        return Linf(self.radius)

    def cost(self, images: int, trained: int) -> Cost:
        """One pass for each step."""
        return Cost.of_images(self.steps * trained)

    def examine(self, model: Classifier, test: ImageDataset, trained: int, session: Session) -> None:
        """Note the accuracy under PGD on test images: near 0, the training has learnt its own adversary alone.

        That is catastrophic overfitting (Wong et al., ICLR 2020). Images are spread evenly over the test set, and as
        many as take `EXAMINED` of the training's passes.
        """
        affordable = EXAMINED * (trained + IMAGES_PER_PASS * self.cost(0, trained).passes) / (EXAMINER_STEPS + 1)
        count = min(len(test), max(FEWEST, int(affordable)))
        chosen = torch.arange(count, device=test.labels.device) * len(test) // count
        generator, right = session.generator("robust accuracy"), 0
        with frozen(model):
            for index in chosen.split(IMAGES_PER_PASS):
                images, labels, ball = test.floats(index), test.labels[index], self.ball
                worst = pgd(
                    model, images, labels, ball=ball, steps=EXAMINER_STEPS, rel_step_size=0.25, generator=generator
                )
                with torch.no_grad():
                    right += int((model(worst).argmax(1) == labels).sum())
        session.notes |= {"robust_accuracy": round(right / count, 6), "robust_images": count}


class InL2(AdversarialTraining):
    """Perturbations are bounded in the norm of each image, and in no single value."""

    radius: ClassVar[None] = None  # type: ignore[misc]  # no setting here
    l2_radius: Positive = 0.5
    """l2 bound of the perturbation of an image, in units of images in [0, 1]."""

    @property
    def ball(self) -> Ball:
        return L2(self.l2_radius)


class Pgd(AdversarialTraining):
    """Adversarial training: the victim learns from the worst images within a radius of each view (Madry et al.)."""

    title = "PGD"
    source = "PGD (Madry et al., ICLR 2018) with the victim settings of REM and SEM for CIFAR-10"
    large: ClassVar[Mapping[str, Any]] = {"steps": 8, "rel_step_size": 0.25}
    large_source: ClassVar[str] = "scripts of REM and SEM for the ImageNet subset"

    rel_step_size: Positive = 0.2
    """Size of a step, relative to the radius: 0.8/255 at 4/255."""
    random_start: bool = True
    """Start from a random point of the ball."""

    def uses(self) -> tuple[Part, ...]:
        return (pgd,)

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Maximise the cross-entropy within the ball around `images`."""
        start, step = generator if self.random_start else None, self.rel_step_size
        return pgd(model, images, labels, ball=self.ball, steps=self.steps, rel_step_size=step, generator=start)


class PgdL2(InL2, Pgd):
    """Adversarial training in an l2 ball, along normalised gradients."""

    title = "PGD l2"
    source = (
        "PGD with l2 norm, radii 0.25 to 0.75 as in CUDA (Sadasivan et al., CVPR 2023); step size 2.5 radius / steps"
    )
    deviations = ("a step is 2.5 radius / steps long; CUDA's code has 1.5 radius / steps in both norms",)
    large: ClassVar[Mapping[str, Any]] = {}

    rel_step_size: Positive = 0.25
    """Length of a step, relative to the radius."""
    random_start: Annotated[bool, Added()] = True
    """Start from a random point of the ball."""


class Fgsm(Pgd):
    """Adversarial training with a single large step: about two passes for each image instead of PGD's eleven."""

    title = "FGSM"
    source = "FGSM with random start (Wong et al., ICLR 2020); without start, Goodfellow et al., ICLR 2015"
    large: ClassVar[Mapping[str, Any]] = {}

    steps: ClassVar[int] = 1  # type: ignore[misc]  # what makes it FGSM is no setting
    rel_step_size: Positive = 1.25
    """Size of the step, relative to the radius; 1 is the original FGSM."""
    random_start: bool = True
    """Start from a random point of the ball; the original FGSM starts at the image."""


class FgsmL2(InL2, Fgsm):
    """FGSM in an l2 ball: a single step along the normalised gradient."""

    title = "FGSM l2"
    source = "FGSM (Goodfellow et al., ICLR 2015) with the settings of Wong et al. (ICLR 2020), in the ball of PGD l2"


class Tpgd(AdversarialTraining):
    """Adversarial training against TPGD, which drives the prediction away from that of the clean view; no labels."""

    title = "TPGD"
    source = "the inner problem of TRADES (Zhang et al., ICML 2019), with its usual step of a quarter of the radius"

    rel_step_size: Positive = 0.25
    """Size of a step, relative to the radius: 2/255 at 8/255."""

    def uses(self) -> tuple[Part, ...]:
        return (tpgd,)

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Maximise the divergence from the prediction on `images`, which takes no gradient."""
        step = self.rel_step_size
        return tpgd(model, images, ball=self.ball, steps=self.steps, rel_step_size=step, generator=generator)


class TpgdL2(InL2, Tpgd):
    """TPGD in an l2 ball, along normalised gradients."""

    title = "TPGD l2"
    source = "the inner problem of TRADES (Zhang et al., ICML 2019), in the ball and with the steps of PGD l2"


class Apgd(AdversarialTraining):
    """Adversarial training against Auto-PGD, whose step size adapts to each image; always the worst point met."""

    title = "APGD"
    source = "APGD (Croce and Hein, ICML 2020), cross-entropy"
    repository = "fra31/auto-attack"
    deviations = ("the loss is the cross-entropy; the official code also has the ratio of logit differences (DLR)",)

    def uses(self) -> tuple[Part, ...]:
        return (apgd,)

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Maximise the cross-entropy within the ball around `images`."""
        return apgd(model, images, labels, ball=self.ball, steps=self.steps, generator=generator)


class ApgdL2(InL2, Apgd):
    """Auto-PGD in an l2 ball."""

    title = "APGD l2"
    source = "APGD (Croce and Hein, ICML 2020), cross-entropy, in the ball of PGD l2"
