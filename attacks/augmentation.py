"""Augmentation: views of the images that a shortcut may not survive."""

import math
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from attacks._channels import lack_of_channels
from attacks._image_operations import OPERATIONS, applied, moved
from bench.core import Attack, Count, Fraction, NonNegative, Outline, PositiveFraction

STRONGEST = 30
"""The largest magnitude of RandAugment: 31 in all."""


class Cutout(Attack):
    """A black square over every view, at a place of its own."""

    title = "Cutout"
    source = "Cutout (DeVries and Taylor 2017, arXiv 1708.04552) with the one square of 16x16 that AR and ISS use"
    repository = "uoguelph-mlrg/Cutout"
    takes_any_range = True

    size: PositiveFraction = 0.5
    """Side of the square as a share of the image's height, at least a pixel: 16 pixels of 32."""

    def augment(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Centre the square on any pixel; what lies outside of the image is cut off."""
        count, _, height, width = images.shape
        side = max(1, round(self.size * height))
        hidden = [_near_one(size, side, count, generator) for size in (height, width)]
        return images.masked_fill((hidden[0][:, :, None] & hidden[1][:, None, :])[:, None], 0.0)


class CutMix(Attack):
    """A rectangle of every view is taken from another view of the batch; labels are mixed by area."""

    title = "CutMix"
    source = "CutMix (Yun et al., ICCV 2019, arXiv 1905.04899), Beta(1, 1) and probability 0.5"
    repository = "clovaai/CutMix-PyTorch"
    takes_any_range = True

    probability: PositiveFraction = 0.5
    """That of a batch to be mixed."""

    def mix(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw one rectangle and one partner for each image; the kept share is uniform, which is Beta(1, 1)."""
        chance, kept, *centre = _uniform(4, generator)
        partner = torch.randperm(len(images), generator=generator, device=generator.device)
        if chance >= self.probability:
            return images, targets
        spans = []
        for size, share in zip(images.shape[2:], centre, strict=True):
            half, middle = int(size * (1 - kept) ** 0.5) // 2, int(size * share)
            spans.append(slice(max(middle - half, 0), min(middle + half, size)))
        mixed = images.clone()
        mixed[:, :, spans[0], spans[1]] = images[partner][:, :, spans[0], spans[1]]
        height, width = images.shape[2:]
        share = 1 - len(range(height)[spans[0]]) * len(range(width)[spans[1]]) / (height * width)
        return mixed, targets[partner].lerp(targets, share)


class Mixup(Attack):
    """Every view is blended with another view of the batch, and so are their labels."""

    title = "MixUp"
    source = "mixup (Zhang et al., ICLR 2018, arXiv 1710.09412), Beta(1, 1) and probability 0.5"
    repository = "facebookresearch/mixup-cifar10"
    deviations = ("a batch is mixed with probability 0.5, as in the attacks that use it; the official code mixes all",)
    takes_any_range = True

    probability: PositiveFraction = 0.5
    """That of a batch to be mixed."""

    def mix(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw one partner for each image; the share of the blend is uniform, which is Beta(1, 1)."""
        chance, share = _uniform(2, generator)
        partner = torch.randperm(len(images), generator=generator, device=generator.device)
        if chance >= self.probability:
            return images, targets
        return images[partner].lerp(images, share), targets[partner].lerp(targets, share)


class RandAugment(Attack):
    """Random operations on every view, all of one strength: shifts, colours, contrast, posterising and the like."""

    title = "RandAugment"
    source = "RandAugment (Cubuk et al. 2020, arXiv 1909.13719) with the defaults of torchvision"
    repository = "pytorch/vision"

    operations: Count = 2
    """Operations on a view, one after the other."""
    magnitude: Annotated[int, Field(ge=0, le=STRONGEST)] = 9
    """Their strength, of at most 30."""

    def declines(self, data: Outline, victim: str) -> str:
        return lack_of_channels(data, 1, 3)

    def augment(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Draw an operation and a sign for each view, in 8 bits."""
        views = eight_bits(images)
        table = torch.tensor(list(magnitudes(self.magnitude / STRONGEST).values()), device=images.device)
        for _ in range(self.operations):
            draws = [
                torch.randint(size, (len(images),), generator=generator, device=generator.device)
                for size in table.shape
            ]
            views = applied(views, list(OPERATIONS), draws[0], table[draws[0], draws[1]])
        return views.float() / 255


class AffineJitter(Attack):
    """Every view is rotated, sheared and zoomed, then changed in brightness, contrast and saturation.

    These are the views that follow orthogonal projection in its official recipe, with CutMix after them.
    """

    title = "affine jitter"
    source = "the views of orthogonal projection (Sandoval-Segura et al., NeurIPS 2023, arXiv 2305.19254)"
    repository = "psandovalsegura/learn-from-unlearnable"
    deviations = (
        "rotation, shear and zoom are one map of nearest pixels; the official code rounds twice",
        "colours change in one order; torchvision draws the order",
        "flip and crop come before; in the official code they come last",
    )
    takes_any_range = True

    degrees: NonNegative = 10.0
    """Largest rotation, either way."""
    shear: Annotated[float, Field(ge=0, lt=90)] = 10.0
    """Largest angle that rows are sheared by, in degrees, either way."""
    zoom: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Most that an image grows or shrinks by, as a share of its size."""
    jitter: Fraction = 0.2
    """Most that the factors of brightness, contrast and saturation differ from 1."""

    def declines(self, data: Outline, victim: str) -> str:
        return lack_of_channels(data, 1, 3)

    def augment(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Draw a map and colours for each view; values beyond [0, 1] are cut off, as in the official code."""
        draws = 2 * torch.rand(6, len(images), generator=generator, device=generator.device) - 1
        angle, slope = draws[0] * math.radians(self.degrees), (draws[1] * math.radians(self.shear)).tan()
        size, zero = 1 + draws[2] * self.zoom, torch.zeros_like(slope)
        cosine, sine = angle.cos() / size, angle.sin() / size
        views = moved(images, [[cosine, slope * cosine - sine, zero], [sine, slope * sine + cosine, zero]])
        brightness, contrast, saturation = (1 + self.jitter * draws[3:]).view(3, -1, 1, 1, 1)
        views = (brightness * views).clamp(0, 1)
        views = grey(views).mean((1, 2, 3), keepdim=True).lerp(views, contrast).clamp(0, 1)
        return grey(views).expand_as(views).lerp(views, saturation).clamp(0, 1)


def grey(images: Tensor) -> Tensor:
    """The luminance (N, 1, H, W) of float images of one or three channels."""
    if images.shape[1] == 1:
        return images
    return (images * images.new_tensor([0.2989, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True)


def magnitudes(strength: float) -> dict[str, tuple[float, float]]:
    """What an operation of RandAugment gets at a strength in [0, 1], for either sign; not all have one."""
    ends = {"shear_x": 0.3, "shear_y": 0.3, "translate_x": 150 / 331, "translate_y": 150 / 331, "rotate": 30.0}
    signed = {name: (end * strength, -end * strength) for name, end in ends.items()}
    for name in ("brightness", "saturation", "contrast", "sharpness"):
        signed[name] = 1 + 0.9 * strength, 1 - 0.9 * strength
    unsigned = {"posterize": float(round(8 - 4 * strength)), "solarize": 1 - strength}
    return {name: signed.get(name) or (unsigned.get(name, 0.0),) * 2 for name in OPERATIONS}


def eight_bits(images: Tensor) -> Tensor:
    """Float images in [0, 1] as uint8; flipped and cropped views lose nothing."""
    return (255 * images).round().byte()


def _uniform(count: int, generator: torch.Generator) -> list[float]:
    """Independent draws from [0, 1)."""
    draws: list[float] = torch.rand(count, generator=generator, device=generator.device).tolist()
    return draws


def _near_one(size: int, length: int, count: int, generator: torch.Generator) -> Tensor:
    """Which of `size` pixels are in the stretch of `length` about a random one, for each of `count` images."""
    centre = torch.randint(size, (count, 1), generator=generator, device=generator.device)
    start = centre - length // 2
    pixel = torch.arange(size, device=generator.device)
    return (pixel >= start) & (pixel < start + length)
