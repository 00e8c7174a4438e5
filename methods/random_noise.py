"""Random noise: the control that says nothing of the image, and of the label nothing or everything."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor

from bench.core import ImageDataset, Method, Norm, Positive, Radius, Session, as_int8

IMAGES = 1024
"""Images drawn at a time, which bounds the memory."""


class RandomNoise(Method):
    """Independent uniform noise: every value is any whole grey level within the radius with equal probability."""

    source = "control"
    phrases: ClassVar[Mapping[str, str]] = {"wise": "{}-wise"}

    radius: Radius = 8 / 255
    """l-inf bound of the noise, at most 127/255."""
    wise: Literal["sample", "class"] = "sample"
    """Whether each image draws its own noise or all images of a class share one pattern."""

    @property
    def class_wise(self) -> bool:
        return self.wise == "class"

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Draw the noise. Raises ValueError for a radius beyond what int8 holds."""
        bound = round(255 * self.radius)
        if bound > 127:
            raise ValueError(f"random: a radius of {bound}/255 is over the 127/255 that int8 noise holds")
        generator = session.generator("noise")

        def draw(count: int) -> Tensor:
            shape = (count, *data.shape)
            return torch.randint(-bound, bound + 1, shape, generator=generator, device=session.device, dtype=torch.int8)

        if self.class_wise:
            patterns = draw(data.num_classes)
            return data.noise(IMAGES, lambda part: patterns[data.labels[part]])
        return data.noise(IMAGES, lambda part: draw(len(data.labels[part])))


class RandomL2(Method):
    """Gaussian noise scaled to one l2 norm: a random direction for each image."""

    title = "random, l2"
    source = "control"
    phrases: ClassVar[Mapping[str, str]] = {"l2_radius": "{:.2f}"}
    norm: ClassVar[Norm] = "l2"

    l2_radius: Positive = 1.0
    """l2 norm of one image's noise before it is rounded, in [0, 1] units."""

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Draw the noise. Raises ValueError for a radius beyond what int8 holds."""
        generator = session.generator("noise")

        def make(part: slice) -> Tensor:
            drawn = torch.randn(len(data.labels[part]), *data.shape, generator=generator, device=session.device)
            norms = torch.linalg.vector_norm(drawn, dim=(1, 2, 3), keepdim=True)
            return as_int8((255 * self.l2_radius * drawn / norms).round_())

        return data.noise(IMAGES, make)
