"""The delusive family: HYPO and its siblings, descent on the loss of a fixed clean network, or none at all."""

from abc import abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from bench.core import (
    Cost,
    Count,
    ImageDataset,
    ModelName,
    Norm,
    Positive,
    Radius,
    Session,
    as_int8,
    batches,
    frozen,
    loss_gradient,
    quantised,
    uniform,
)
from methods._surrogate import Shares, SurrogateMethod

UNIVERSAL_STEPS = 5
"""A universal perturbation takes so many times `steps`."""
EXPECTED_CLASSES = 10
"""The cost forecast of p3 and p4, which make one perturbation for each class, counts on the paper's ten classes."""


class Delusive(SurrogateMethod):
    """Perturbations P1 to P5 of delusive attacks; the norm is the subclass's."""

    source = "P1 to P5 of delusive attacks (Tao et al., NeurIPS 2021, arXiv 2102.04716), released code for CIFAR-10"
    repository = "TLMichael/Delusive-Adversary"
    deviations: ClassVar[tuple[str, ...]] = (
        "the surrogate learns from every training image to its last epoch; the official one leaves out 1,000 images "
        "and keeps the epoch that is best on them",
        "an epoch of the surrogate, or of a universal noise (p3, p4), drops its incomplete last batch",
        "noise is rounded to the nearest grey level, where the official code truncates",
        "a small gradient has the same step as a large one; the official code adds 1e-10 to its norm",
    )

    variant: Literal["p1", "p2", "p3", "p4", "p5"] = "p2"
    """Each image its own: `p1` towards class y + 1, `p2` (HYPO) towards its own class. One for each class: `p3` is what
    leads any image to class y + 1, `p4` to y, `p5` random, without a network."""
    steps: Count = 100
    """Steps for one image; five times as many, each on a batch of any images, for a whole class."""
    rel_step_size: Positive = 0.2
    """Their size, relative to the radius: 0.1 at an l2 radius of 0.5."""
    batch_size: Count = 256
    surrogate: ModelName = "vgg16"
    """The network the noise is crafted against."""
    epochs: Count = 150
    decay_at: Shares = (2 / 3, 5 / 6)
    """Shares of the surrogate's training: 100 and 125 of 150."""

    @abstractmethod
    def direction(self, gradient: Tensor) -> Tensor:
        """The steepest step for each image's gradient (N, C, H, W), in units of the radius."""

    @abstractmethod
    def projected(self, noise: Tensor) -> Tensor:
        """The nearest noise (N, C, H, W) within the radius."""

    @abstractmethod
    def drawn(self, noise: Tensor, generator: torch.Generator) -> Tensor:
        """Random noise of the same shape, for p5."""

    @abstractmethod
    def at_rest(self, noise: Tensor) -> Tensor:
        """Float noise as int8 in steps of 1/255."""

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Make the noise of every image, or one for each class."""
        if self.variant == "p5":
            blank = torch.zeros(data.num_classes, *data.shape, device=session.device)
            patterns = self.at_rest(self.drawn(blank, session.generator("patterns")))
            return data.noise(self.batch_size, lambda part: patterns[data.labels[part]])
        model = self.train_surrogate(self.surrogate, data, session)
        with frozen(model):
            if self.class_wise:
                classes = range(data.num_classes)
                patterns = self.at_rest(torch.cat([self._universal(model, data, goal, session) for goal in classes]))
                goals = (data.labels + (self.variant == "p3")) % data.num_classes
                return data.noise(self.batch_size, lambda part: patterns[goals[part]])
            goals = (data.labels + (self.variant == "p1")) % data.num_classes
            return data.noise(
                self.batch_size, lambda part: self.at_rest(self._own(model, data.floats(part), goals[part]))
            )

    @property
    def class_wise(self) -> bool:
        return self.variant in ("p3", "p4", "p5")

    def cost(self, images: int) -> Cost:
        """The surrogate's training and every step; nothing without a network."""
        if self.variant == "p5":
            return Cost()
        crafted = self.steps * images
        if self.class_wise:
            crafted = EXPECTED_CLASSES * UNIVERSAL_STEPS * self.steps * min(self.batch_size, images)
        return super().cost(images) + Cost.of_images(crafted)

    def _own(self, model: nn.Module, images: Tensor, goal: Tensor) -> Tensor:
        """Noise (N, C, H, W) that makes the loss towards `goal` small, each image's own, from none."""
        noise = torch.zeros_like(images)
        for _ in range(self.steps):
            step = self.rel_step_size * self.direction(loss_gradient(model, images + noise, goal))
            noise = (images + self.projected(noise - step)).clamp(0, 1) - images
        return noise

    def _universal(self, model: nn.Module, data: ImageDataset, goal: int, session: Session) -> Tensor:
        """The one noise (1, C, H, W) that makes the loss of all images towards class `goal` small, from none."""
        order = batches(len(data), self.batch_size, session.generator("universal", str(goal)))
        noise = torch.zeros(1, *data.shape, device=session.device)
        for _ in range(UNIVERSAL_STEPS * self.steps):
            protected = data.floats(next(order)) + noise
            labels = torch.full((len(protected),), goal, device=noise.device)
            gradients = loss_gradient(model, protected.clamp(0, 1), labels)
            # Not by autograd: releases of torch differ in whether a pixel at exactly 0 or 1 has a gradient.
            valid = (protected >= 0) & (protected <= 1)
            gradient = (gradients * valid).sum(0, keepdim=True)
            noise = self.projected(noise - self.rel_step_size * self.direction(gradient))
        return noise


class Hypo(Delusive):
    """Hypocritical noise in an l2 ball: each image is moved to where a clean network is surer of its own class."""

    title = "HYPO"
    deviations: ClassVar[tuple[str, ...]] = (
        *Delusive.deviations,
        "the head of VGG-16 is that of the SEM code, with dropout; the official one is a single linear layer",
        "the network's input is x - 1/2; the official one takes pixels as they are",
    )
    norm: ClassVar[Norm] = "l2"

    l2_radius: Positive = 0.5
    """l2 bound of one image's noise, in [0, 1] units."""

    def direction(self, gradient: Tensor) -> Tensor:
        return self.l2_radius * nn.functional.normalize(gradient.flatten(1), dim=1, eps=1e-30).view_as(gradient)

    def projected(self, noise: Tensor) -> Tensor:
        return noise.renorm(2, 0, self.l2_radius)

    def drawn(self, noise: Tensor, generator: torch.Generator) -> Tensor:
        return self.direction(torch.randn(noise.shape, generator=generator, device=noise.device))

    def at_rest(self, noise: Tensor) -> Tensor:
        return as_int8((255 * noise).round_())


class HypoLinf(Delusive):
    """Hypocritical noise in an l-inf ball, which is another protection: what APBench calls HYPO."""

    title = "HYPO l-inf"
    source = "HYPO as in APBench (TMLR 2024, arXiv 2308.03258), released code for CIFAR-10"
    repository = "lafeat/apbench"
    deviations: ClassVar[tuple[str, ...]] = (
        "the surrogate is trained as the delusive family's; the official one is a checkpoint of unknown training",
        "the network's input is x - 1/2; the official one takes pixels as they are",
    )

    radius: Radius = 8 / 255
    """l-inf bound of the noise."""
    rel_step_size: Positive = 0.1
    """Size of a signed step, relative to the radius: 0.8/255 at 8/255."""
    batch_size: Count = 512
    surrogate: ModelName = "resnet18"
    """The network the noise is crafted against."""

    def direction(self, gradient: Tensor) -> Tensor:
        return self.radius * gradient.sign()

    def projected(self, noise: Tensor) -> Tensor:
        return noise.clamp(-self.radius, self.radius)

    def drawn(self, noise: Tensor, generator: torch.Generator) -> Tensor:
        return uniform(noise, self.radius, generator)

    def at_rest(self, noise: Tensor) -> Tensor:
        return quantised(noise, self.radius)
