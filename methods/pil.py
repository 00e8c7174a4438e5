"""PIL: perturbation-induced linearisation, noise that a linear classifier reads as the label."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.core import (
    NO_AUGMENTATION,
    Augmentation,
    Cost,
    Count,
    Fraction,
    ImageDataset,
    NonNegative,
    Part,
    Positive,
    Radius,
    Schedule,
    Session,
    ascend,
    frozen,
    quantised,
    two_linear,
    uniform,
)
from methods._surrogate import SurrogateMethod


class Pil(SurrogateMethod):
    """Noise d that a linear map of the pixels classifies as y by itself, and without which it sees no class at all.

    The released image is x - d: what is taken away is what the map recognises.
    """

    title = "PIL"
    source = "PIL (ICLR 2026, arXiv 2601.19967), released settings for CIFAR-10"
    repository = "jinlinll/pil"
    deviations: ClassVar[tuple[str, ...]] = (
        "noise is rounded to the nearest grey level; the official code truncates where its images are converted",
    )
    shuffled: ClassVar[bool] = False
    surrogate: ClassVar[str] = "two_linear"
    """Two bias-free linear layers are what makes it PIL, so the network cannot be set."""

    radius: Radius = 8 / 255
    """l-inf bound of the noise."""
    steps: Count = 30
    """Signed-gradient steps, from a uniform draw."""
    rel_step_size: Positive = 0.1
    """Their size, relative to the radius: 0.8/255 at 8/255."""
    balance: Fraction = 0.9
    """Weight of the noise's own cross-entropy; the rest is the weight of the image's distance to no class at all."""
    batch_size: Count = 512
    """Images crafted at once: it decides speed and random draws, nothing else."""
    epochs: Count = 30
    train_batch_size: Count = 512
    lr: Positive = 0.003
    schedule: Schedule = "cosine"
    weight_decay: NonNegative = 0.0

    @property
    def augmentation(self) -> Augmentation:
        return NO_AUGMENTATION

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Craft each image's noise against the linear map trained on the clean images."""
        model = self.train_surrogate(self.surrogate, data, session)
        starts = session.generator("starts")

        def make(part: slice) -> Tensor:
            return quantised(-self._craft(model, data.floats(part), data.labels[part], starts), self.radius)

        with frozen(model):
            return data.noise(self.batch_size, make)

    def uses(self) -> tuple[Part, ...]:
        return (*super().uses(), two_linear)

    def loss(self, model: nn.Module, noise: Tensor, images: Tensor, labels: Tensor) -> Tensor:
        """What `noise` d makes small, summed over the images: CE(f(d), y) and KL(uniform || softmax f(x - d))."""
        recognised = F.cross_entropy(model(noise), labels, reduction="sum")
        left = model(images - noise).log_softmax(1)
        undecided = F.kl_div(left, torch.full_like(left, 1 / left.shape[1]), reduction="sum")
        return self.balance * recognised + (1 - self.balance) * undecided

    def _craft(self, model: nn.Module, images: Tensor, labels: Tensor, starts: torch.Generator) -> Tensor:
        def gradient(noise: Tensor) -> Tensor:
            noise = noise.detach().requires_grad_()
            return torch.autograd.grad(self.loss(model, noise, images, labels), noise)[0]

        return ascend(
            uniform(images, self.radius, starts),
            gradient,
            lambda noise: noise.clamp(-self.radius, self.radius),
            step_size=-self.rel_step_size * self.radius,
            steps=self.steps,
        )

    @property
    def network(self) -> str:
        return self.surrogate

    def cost(self, images: int) -> Cost:
        """The map's training, then two passes for every step: one of the noise, one of the image without it."""
        return super().cost(images) + Cost.of_images(2 * self.steps * images)
