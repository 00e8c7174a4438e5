"""SC: synthetic shortcut noise, linearly separable and made without any network (also called LSP)."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.core import Count, ImageDataset, ImageShape, Method, Norm, Outline, Radius, Session, as_int8, parts

CLASS_SEPARATION = 10.0
"""Distance scale of the class centres; the spread within a class is about sqrt(features / 3)."""


class Sc(Method):
    """Synthetic shortcuts: each image gets coloured blocks drawn from its class's own Gaussian, scaled to one l2 norm.

    The bound is an l2 norm; single blocks may exceed `radius`.
    """

    title = "SC"
    source = "SC (Yu et al., KDD 2022, arXiv 2111.00898), released settings for CIFAR-10"
    repository = "dayu11/Availability-Attacks-Create-Shortcuts"
    deviations = (
        "noise is rounded to the nearest grey level, where the official code truncates",
        "every class has as many draws as images, where the official code hands out a pool of equal size",
    )
    norm: ClassVar[Norm] = "l2"

    large: ClassVar[Mapping[str, Any]] = {"patch": 32}
    large_source: ClassVar[str] = "settings of APBench's port for ImageNet-100; the official code has 32x32 alone"

    radius: Radius = 6 / 255
    """Root mean square of one image's noise: its l2 norm is this times sqrt(C H W), 1.304 for 3x32x32."""
    patch: Count | None = None
    """Side of a block in pixels, which must divide the image; null is a quarter of the height: 8 at 32x32."""

    def declines(self, data: Outline) -> str:
        """Blocks must fill the image, and every class needs a vertex of its own: one of 2^features."""
        _, height, width = data.shape
        patch, features = self._blocks_of(data.shape)
        if height % patch or width % patch:
            return f"patch {patch} does not divide an image of {height}x{width} pixels"
        if data.num_classes > 2**features:
            return f"{features} blocks have {2**features} vertices, too few for {data.num_classes} classes; lower patch"
        return ""

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Draw every image's blocks."""
        patch, features = self._blocks_of(data.shape)
        centres = CLASS_SEPARATION * self._vertices(data.num_classes, features, session.generator("centres"))
        shapes, generator = session.generator("shapes"), session.generator("draws")
        noise = data.empty_noise()
        for label in range(data.num_classes):
            rows = (data.labels == label).nonzero().flatten()
            shape = 2 * torch.rand(features, features, generator=shapes, device=session.device) - 1
            normal = torch.randn(len(rows), features, generator=generator, device=session.device)
            values = normal @ shape + centres[label]
            for part in parts(len(rows), data.shape):
                noise[rows[part].to(noise.device)] = self._blocks(values[part], data.shape, patch).to(noise.device)
        return noise

    def budget(self, shape: ImageShape) -> float:
        return self.radius * math.sqrt(math.prod(shape))

    def _blocks_of(self, shape: ImageShape) -> tuple[int, int]:
        """The side of a block in pixels, and how many values the blocks of an image have."""
        channels, height, width = shape
        patch = self.patch or max(1, height // 4)
        return patch, channels * (height // patch) * (width // patch)

    def _blocks(self, values: Tensor, shape: ImageShape, patch: int) -> Tensor:
        """Feature vectors (N, features) as int8 block noise (N, C, H, W) of the one l2 norm."""
        channels, height, width = shape
        blocks = values.view(-1, channels, height // patch, width // patch)
        blocks = blocks.repeat_interleave(patch, 2).repeat_interleave(patch, 3)
        mean_square = blocks.square().mean((1, 2, 3), keepdim=True)
        return as_int8((255 * self.radius * blocks / mean_square.sqrt()).round_())

    @staticmethod
    def _vertices(count: int, features: int, generator: torch.Generator) -> Tensor:
        """`count` distinct random vertices of the cube {-1, +1}^features."""
        found: dict[tuple[bool, ...], None] = {}
        while len(found) < count:
            found[tuple((torch.rand(features, generator=generator, device=generator.device) < 0.5).tolist())] = None
        return 2 * torch.tensor(list(found), dtype=torch.float32, device=generator.device) - 1
