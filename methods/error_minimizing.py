"""The error-minimising family: one bilevel loop with a perturbation in each of its two steps."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import SGD
from torch.optim.lr_scheduler import StepLR

from bench.core import (
    Added,
    Cost,
    Count,
    CountOrZero,
    ImageDataset,
    Method,
    ModelName,
    NonNegative,
    Part,
    Positive,
    Radius,
    RadiusOrZero,
    Session,
    ascend,
    batches,
    check_finite,
    flip_crop,
    frozen,
    in_order,
    loss_gradient,
    maximiser,
    quantised,
    uniform,
    update,
)
from methods._perturbed_views import Adversary, Generators, Keep, Perturbation, Views, draw_view


class ErrorMinimizing(Method):
    """Noise that makes the loss small under random views, learnt in turns with a surrogate network.

    A noise step descends on the loss summed over `samples` random views of the protected image, each perturbed as
    `noise_step` says; a surrogate step trains the network on one view, perturbed as `surrogate_step` says.
    """

    title = "error-minimising"
    source = (
        "REM (Fu et al., ICLR 2022) and SEM (Liu et al., AAAI 2024, arXiv 2311.13091), released scripts for CIFAR-10"
    )
    repository = "fshp971/robust-unlearnable-examples"
    deviations: ClassVar[tuple[str, ...]] = (
        "the final noise comes from one ordered pass over every image; the official pass is shuffled and leaves "
        "old noise on an incomplete last batch",
        "a random-resized crop, the view of images of 96 pixels or more, has their size; the official one cuts 224 "
        "pixels out of 256, and shows the victim the 224 in the middle of a test image",
    )
    phrases: ClassVar[Mapping[str, str]] = {
        "noise_step": "{} in the noise step",
        "surrogate_step": "{} in the surrogate step",
        "adv_radius": "adversary of {}",
        "adv_steps": "{} {step|steps} of the adversary",
        "noise_adv_radius": "{} in the noise step",
        "noise_adv_steps": "{} {step|steps} of the adversary in the noise step",
        "random_radius": "random noise of {}",
        "random_clip": "clipped to {}",
    }
    large: ClassVar[Mapping[str, Any]] = {
        "steps": 7,
        "rel_step_size": 0.25,
        "samples": 4,
        "adv_steps": 7,
        "adv_rel_step_size": 0.25,
        "updates": 3000,
        "decay_every": 1200,
    }
    large_source: ClassVar[str] = "released scripts for the ImageNet subset"

    radius: Radius = 8 / 255
    """l-inf bound of the noise."""
    steps: Count = 10
    """Signed-gradient steps of one noise step."""
    rel_step_size: Positive = 0.2
    """Their size, relative to the radius: 1.6/255 at 8/255."""
    samples: Count = 5
    """Random views the gradient of one step is summed over (J)."""
    views: Views = "flip_crop"
    """What a view of an image is."""
    surrogate_views: Annotated[Views | None, Added()] = None
    """What a view is in the surrogate step; null is `views`."""
    saturated: Literal["mask", "project"] = "mask"
    """What keeps pixels valid in the noise step: `mask` clips the image, whose gradient then masks saturated pixels, as
    in REM and SEM; `project` moves the noise itself back after every step."""
    noise_step: Perturbation = "none"
    """Perturbation of the views in the noise step."""
    surrogate_step: Perturbation = "none"
    """Perturbation of the views in the surrogate's weight update."""
    adv_radius: RadiusOrZero = 4 / 255
    """l-inf bound of the perturbation in the surrogate step."""
    adv_steps: CountOrZero = 10
    """Steps of the adversary in the surrogate step; FGSM takes one."""
    adv_rel_step_size: Positive = 0.2
    """Size of the adversary's steps, relative to its radius: 0.8/255 at 4/255. APGD finds its own."""
    noise_adv_radius: RadiusOrZero | None = None
    """l-inf bound of the adversary in the noise step; null is `adv_radius`."""
    noise_adv_steps: CountOrZero | None = None
    """Its steps; null is `adv_steps`."""
    random_radius: RadiusOrZero | None = None
    """l-inf bound of the random perturbation in the noise step; null is `adv_radius`, as in the scripts."""
    random_clip: Annotated[RadiusOrZero | None, Added()] = None
    """What the random perturbation is clipped to; null is no clip. The released code of SEM clips it to `adv_radius`:
    beyond that, a larger `random_radius` gives point masses at the bound instead of a wider uniform draw."""
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
        model = session.build_for(self.surrogate, data)
        optimiser = SGD(model.parameters(), self.lr, self.momentum, weight_decay=self.weight_decay)
        scheduler = StepLR(optimiser, self.decay_every, 0.1)
        order = batches(len(data), self.batch_size, session.generator("batches"))
        generators = Generators.of(session)
        crops, draws = session.generator("surrogate step", "crops"), session.generator("surrogate step", "draws")
        for step in range(1, self.updates + 1):
            index = next(order)
            images, labels = data.floats(index), data.labels[index]
            keep = partial(session.keeper.keep_perturbations, "noise step", step, self.updates)
            with frozen(model):
                noise = self.minimise(model, images, labels, generators, keep).float() / 255
                view = draw_view((images + noise).clamp(0, 1), crops, self.surrogate_views or self.views)
                seen = self._surrogate_adversary(model, view, labels, draws)
            session.keeper.keep_perturbations("surrogate step", step, self.updates, view, seen)
            update(model, seen, labels, optimiser)
            scheduler.step()
            session.keeper.keep_checkpoint(model, step, self.updates)
        check_finite(model)
        session.keeper.keep_network(model)
        with frozen(model):
            return data.noise(
                self.batch_size, lambda part: self.minimise(model, data.floats(part), data.labels[part], generators)
            )

    def minimise(
        self, model: nn.Module, images: Tensor, labels: Tensor, generators: Generators, keep: Keep | None = None
    ) -> Tensor:
        """The noise step: int8 noise (N, C, H, W) for float `images` against the frozen `model`.

        From a fresh uniform start, each step sums the gradient over `samples` views, computed as one batch. It flows
        through the transform and, with `mask`, the clip to [0, 1]; a view's perturbation is a constant (REM, SEM code).
        `keep` is shown the views of the last step and what they were perturbed to.
        """
        labels = labels.repeat(self.samples)
        adversary = self._noise_adversary

        def gradient(noise: Tensor, keep: Keep | None = None) -> Tensor:
            noise = noise.detach().requires_grad_()
            protected = images + noise
            if self.saturated == "mask":
                protected = protected.clamp(0, 1)
            view = draw_view(protected.repeat(self.samples, 1, 1, 1), generators.crops, self.views)
            seen = adversary(model, view.detach(), labels, generators.draws)
            if keep is not None:
                keep(view.detach(), seen)
            return torch.autograd.grad(view, noise, loss_gradient(model, seen, labels))[0]

        def project(noise: Tensor) -> Tensor:
            noise = noise.clamp(-self.radius, self.radius)
            return (images + noise).clamp(0, 1) - images if self.saturated == "project" else noise

        descend = partial(ascend, project=project, step_size=-self.rel_step_size * self.radius)
        noise = project(uniform(images, self.radius, generators.starts))
        noise = descend(noise, gradient, steps=self.steps - 1)
        return quantised(descend(noise, partial(gradient, keep=keep), steps=1), self.radius)

    def meet(self, model: nn.Module, images: Tensor, labels: Tensor, session: Session) -> Tensor:
        """What the adversary of the noise step adds to each of `images` (N, C, H, W) under the noise of that step.

        The `model` is frozen. The images are whole: a victim's perturbations have the same pixels.
        """
        met: list[Tensor] = []
        generators = Generators.of(session)
        for part in in_order(len(images), self.batch_size):
            noise = self.minimise(model, images[part], labels[part], generators).float() / 255
            noisy = (images[part] + noise).clamp(0, 1)
            met.append(self._noise_adversary(model, noisy, labels[part], generators.draws) - noisy)
        return torch.cat(met)

    def meeting_cost(self, images: int) -> Cost:
        """What `meet` takes for so many: their whole noise step, and its adversary once more."""
        return Cost.of_images(images * (self._noise_step_passes + self._noise_adversary.passes))

    def uses(self) -> tuple[Part, ...]:
        kinds = (self.noise_step, self.surrogate_step)
        adversaries = [maximiser(kind) for kind in kinds if kind != "none" and kind != "random"]
        return (*adversaries, *([flip_crop] if "flip_crop" in (self.views, self.surrogate_views) else []))

    def cost(self, images: int) -> Cost:
        """Noise steps and updates of the surrogate, then the complete final pass."""
        noise = self._noise_step_passes
        update = 1 + self._surrogate_adversary.passes
        return Cost.of_images(self.updates * self.batch_size * (noise + update) + images * noise)

    @property
    def _noise_step_passes(self) -> int:
        """Those of one image in a whole noise step."""
        return self.steps * self.samples * (1 + self._noise_adversary.passes)

    @property
    def _noise_adversary(self) -> Adversary:
        other = self.random_radius if self.noise_step == "random" else self.noise_adv_radius
        radius = self.adv_radius if other is None else other
        steps = self.adv_steps if self.noise_adv_steps is None else self.noise_adv_steps
        return Adversary(self.noise_step, radius, steps, self.adv_rel_step_size, self.random_clip)

    @property
    def _surrogate_adversary(self) -> Adversary:
        return Adversary(self.surrogate_step, self.adv_radius, self.adv_steps, self.adv_rel_step_size)
