"""The error-minimising family: one bilevel loop with a perturbation in each of its two steps."""

from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import SGD
from torch.optim.lr_scheduler import StepLR

from bench.augment import flip_crop
from bench.data import ImageDataset
from bench.engine import IMAGES_PER_PASS, Session
from bench.models import ModelName
from bench.perturb import ascend, frozen, loss_gradient, pgd, quantised, uniform
from bench.protocols import Method
from bench.settings import Count, CountOrZero, NonNegative, Positive, Radius, RadiusOrZero
from bench.train import batches, in_order, update

Perturbation = Literal["none", "random", "pgd"]


class Streams(NamedTuple):
    """The independent random streams of the noise step."""

    starts: torch.Generator
    crops: torch.Generator
    draws: torch.Generator


class ErrorMinimizing(Method):
    """Noise that makes the loss small under random views, learnt in turns with a surrogate network.

    A noise step descends on the loss summed over `samples` random views of the protected image, each perturbed as
    `noise_step` says; a surrogate step trains the network on one view, perturbed as `surrogate_step` says.
    """

    source = (
        "REM (Fu et al., ICLR 2022) and SEM (Liu et al., AAAI 2024, arXiv 2311.13091), released scripts for CIFAR-10"
    )
    repository = "fshp971/robust-unlearnable-examples"
    deviations: ClassVar[tuple[str, ...]] = (
        "the final noise comes from one ordered pass over every image; the official pass is shuffled and leaves "
        "old noise on an incomplete last batch",
    )

    radius: Radius = 8 / 255
    """l-inf bound of the noise."""
    steps: Count = 10
    """Signed-gradient steps of one noise step."""
    rel_step_size: Positive = 0.2
    """Their size, relative to the radius: 1.6/255 at 8/255."""
    samples: Count = 5
    """Random views the gradient of one step is summed over (J)."""
    noise_step: Perturbation = "none"
    """Perturbation of the views in the noise step."""
    surrogate_step: Perturbation = "none"
    """Perturbation of the views in the surrogate's weight update."""
    adv_radius: RadiusOrZero = 4 / 255
    """l-inf bound of the adversary, in both steps."""
    adv_steps: CountOrZero = 10
    """Steps of PGD, in both steps; its start is uniform."""
    adv_rel_step_size: Positive = 0.2
    """Their size, relative to `adv_radius`: 0.8/255 at 4/255."""
    random_radius: RadiusOrZero | None = None
    """Bound of the random perturbation; null is `adv_radius`, as in the scripts."""
    updates: Count = 5000
    """Weight updates of the surrogate (M)."""
    batch_size: Count = 128
    lr: Positive = 0.1
    decay_every: Count = 2000
    """Weight updates after which the learning rate is multiplied by 0.1, again and again."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: NonNegative = 5e-4
    surrogate: ModelName = "resnet18"
    """The network the noise is learnt with."""

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Train the surrogate for `updates` steps, then make the noise of every image against the final one."""
        model = session.build(self.surrogate, num_classes=data.num_classes, channels=data.shape[0])
        optimiser = SGD(model.parameters(), self.lr, self.momentum, weight_decay=self.weight_decay)
        scheduler = StepLR(optimiser, self.decay_every, 0.1)
        order = batches(len(data), self.batch_size, session.generator("batches"))
        streams = Streams(*(session.generator("noise step", use) for use in Streams._fields))
        crops, draws = session.generator("surrogate step", "crops"), session.generator("surrogate step", "draws")
        for _ in range(self.updates):
            index = next(order)
            images, labels = data.floats(index), data.labels[index]
            with frozen(model):
                noise = self.minimise(model, images, labels, streams).float() / 255
                view = flip_crop(images, crops)((images + noise).clamp(0, 1))
                view = self._perturbed(self.surrogate_step, model, view, labels, self.adv_radius, draws)
            update(model, view, labels, optimiser)
            scheduler.step()
        noise = data.empty_noise()
        with frozen(model):
            for part in in_order(len(data), self.batch_size):
                noise[part] = self.minimise(model, data.floats(part), data.labels[part], streams)
        return noise

    def minimise(self, model: nn.Module, images: Tensor, labels: Tensor, streams: Streams) -> Tensor:
        """The noise step: int8 noise (N, C, H, W) for float `images` against the frozen `model`.

        From a fresh uniform start, each step sums the gradient over `samples` views, computed as one batch. It flows
        through the clip to [0, 1] and the transform; the perturbation of a view is a constant in it (REM, SEM code).
        """
        labels = labels.repeat(self.samples)
        radius = self.adv_radius if self.random_radius is None or self.noise_step == "pgd" else self.random_radius

        def gradient(noise: Tensor) -> Tensor:
            noise = noise.detach().requires_grad_()
            protected = (images + noise).clamp(0, 1).repeat(self.samples, 1, 1, 1)
            view = flip_crop(protected, streams.crops)(protected)
            seen = self._perturbed(self.noise_step, model, view, labels, radius, streams.draws)
            return torch.autograd.grad(view, noise, loss_gradient(model, seen, labels))[0]

        noise = ascend(
            uniform(images, self.radius, streams.starts),
            gradient,
            lambda noise: noise.clamp(-self.radius, self.radius),
            step_size=-self.rel_step_size * self.radius,
            steps=self.steps,
        )
        return quantised(noise, self.radius)

    def passes(self, images: int) -> float:
        """Noise steps and updates of the surrogate, then the complete final pass."""
        noise = self.steps * self.samples * (1 + self._adversary_passes(self.noise_step))
        update = 1 + self._adversary_passes(self.surrogate_step)
        return (self.updates * self.batch_size * (noise + update) + images * noise) / IMAGES_PER_PASS

    def _adversary_passes(self, kind: Perturbation) -> int:
        return self.adv_steps if kind == "pgd" and self.adv_radius else 0

    def _perturbed(
        self,
        kind: Perturbation,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        radius: float,
        draws: torch.Generator,
    ) -> Tensor:
        if kind == "none" or radius == 0:
            return images
        if kind == "random":
            return (images + uniform(images, radius, draws)).clamp(0, 1)
        return pgd(
            model,
            images,
            labels,
            radius=radius,
            steps=self.adv_steps,
            rel_step_size=self.adv_rel_step_size,
            source=draws,
        )
