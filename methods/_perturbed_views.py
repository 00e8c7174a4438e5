"""What the error-minimising family sees of an image: a random view, and its perturbation."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from bench.core import Linf, Maximiser, Session, flip_crop, maximise, uniform

Views = Literal["flip_crop", "identity"]
Perturbation = Literal["none", "random"] | Maximiser


Keep = Callable[[Tensor, Tensor], None]
"""Is shown views, and what they were perturbed to."""


class Generators(NamedTuple):
    """The independent generators of the noise step."""

    starts: torch.Generator
    crops: torch.Generator
    draws: torch.Generator

    @classmethod
    def of(cls, session: Session) -> "Generators":
        """Those of a session."""
        return cls(*(session.generator("noise step", use) for use in cls._fields))


class Adversary(NamedTuple):
    """A perturbation of views, with all its numbers."""

    kind: Perturbation
    radius: float
    steps: int
    rel_step_size: float
    clip: float | None = None
    """What random noise is clipped to; None: nothing."""

    def __call__(self, model: nn.Module, images: Tensor, labels: Tensor, draws: torch.Generator) -> Tensor:
        """Perturbed `images`; a perturbation without radius leaves them as they are."""
        if self.kind == "none" or self.radius == 0:
            return images
        if self.kind == "random":
            noise = uniform(images, self.radius, draws)
            return (images + (noise if self.clip is None else noise.clamp(-self.clip, self.clip))).clamp(0, 1)
        return maximise(
            self.kind,
            model,
            images,
            labels,
            ball=Linf(self.radius),
            steps=self.steps,
            rel_step_size=self.rel_step_size,
            generator=draws,
        )

    @property
    def passes(self) -> int:
        """Input gradients it takes for each image."""
        if self.kind in ("none", "random") or self.radius == 0:
            return 0
        return 1 if self.kind == "fgsm" else self.steps


def draw_view(images: Tensor, generator: torch.Generator, kind: Views) -> Tensor:
    """A random view of each of `images` (N, C, H, W), or the images themselves."""
    return flip_crop(images, generator)(images) if kind == "flip_crop" else images
