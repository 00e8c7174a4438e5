"""Random flips with crops or translations: batched, on the device and differentiable."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bench.core.revision import revised, revision_of

LARGE_VIEWS = 96
"""Height and width in pixels from which a view is a random-resized crop, as papers have it for the ImageNet subset."""
AREA, RATIO, TRIES = (0.08, 1.0), (3 / 4, 4 / 3), 10
"""Share of the image and width by height of a random-resized crop, and how often they are drawn: torchvision's."""


@dataclass(frozen=True)
class FlipCrop:
    """One draw of flip (probability 1/2) and crop (black padding, one offset per image) for a batch.

    Calling it transforms float images (N, C, H, W); gradients flow back through the exact adjoint. The pixel that
    `rows`, `columns` (N, H), (N, W) name moves to that place; -1 stands for black padding.
    """

    rows: Tensor
    columns: Tensor
    adjoint_rows: Tensor
    adjoint_columns: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        moved: Tensor = _Move.apply(images, self)
        return moved


def padding(size: int) -> int:
    """Black pixels on each side before the crop: 4 at 32x32 and 8 at 64x64, as in REM and SEM; size/8 in between."""
    return size // 8


@revised(1)
def flip_crop(images: Tensor, generator: torch.Generator) -> "FlipCrop | Resampled":
    """Draw the view of training for each of `images` (N, C, H, W) from `generator`, on its device.

    It is a flip and a padded crop, or, of images of `LARGE_VIEWS` pixels or more, a random-resized crop and a flip.
    """
    if has_large_views(images.shape):
        return flip_resized_crop(images, generator)
    count, _, height, width = images.shape
    device = generator.device
    pad_y, pad_x = padding(height), padding(width)

    def draw(bound: int) -> Tensor:
        return torch.randint(bound, (count, 1), generator=generator, device=device)

    flipped, dy, dx = draw(2) == 1, draw(2 * pad_y + 1) - pad_y, draw(2 * pad_x + 1) - pad_x
    y, x = torch.arange(height, device=device), torch.arange(width, device=device)
    rows, columns = _inside(y + dy, height), _inside(x + dx, width)
    back_columns = _inside(torch.where(flipped, width - 1 - x, x) - dx, width)
    columns = torch.where(flipped & (columns >= 0), width - 1 - columns, columns)
    return FlipCrop(rows, columns, _inside(y - dy, height), back_columns)


def _inside(index: Tensor, size: int) -> Tensor:
    return torch.where((index >= 0) & (index < size), index, -1)


def _move(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """out[n, c, i, j] = images[n, c, rows[n, i], columns[n, j]], and 0 if either index is -1."""
    count, channels, height, width = images.shape
    pixels = rows.clamp(min=0)[:, :, None] * width + columns.clamp(min=0)[:, None, :]
    moved = images.reshape(count, channels, -1).gather(2, pixels.view(count, 1, -1).expand(-1, channels, -1))
    visible = (rows >= 0)[:, None, :, None] & (columns >= 0)[:, None, None, :]
    return moved.view(count, channels, height, width) * visible


class _Move(torch.autograd.Function):
    """A permutation with dropped pixels: its adjoint is the same gather, run backwards, without any scatter."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, view: FlipCrop) -> Tensor:
        ctx.view = view
        return _move(images, view.rows, view.columns)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _move(gradients[0], ctx.view.adjoint_rows, ctx.view.adjoint_columns), None


@dataclass(frozen=True)
class Resampled:
    """One draw of flip (probability 1/2) and of where each row and each column comes from (bilinear) for a batch.

    Calling it transforms float images (N, C, H, W). Pixel (i, j) of the result is the sum of `rows[n, i, k]` times
    `columns[n, j, l]` times pixel (k, l): two matrix products, so the gradient is the exact adjoint, and deterministic.
    """

    rows: Tensor
    columns: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        count, channels, height, width = images.shape
        rows, columns = self.rows.to(images.dtype), self.columns.to(images.dtype)
        across = images.reshape(count, channels * height, width) @ columns.mT
        return rows[:, None] @ across.view(count, channels, height, width)


@revised(1)
def flip_translate(images: Tensor, generator: torch.Generator) -> Resampled:
    """Draw a transform for each of `images` (N, C, H, W) from `generator`: shifts are uniform in +-size/8 pixels.

    The released code of TAP takes its 8 for a share of half the width: 4 pixels at 32x32.
    """
    count, _, height, width = images.shape
    device = generator.device

    def draw() -> Tensor:
        return 2 * torch.rand(count, 1, generator=generator, device=device) - 1

    flipped = torch.rand(count, 1, generator=generator, device=device) < 0.5
    y, x = torch.arange(height, device=device), torch.arange(width, device=device)
    columns = x + padding(width) * draw()
    columns = torch.where(flipped, width - 1 - columns, columns)
    return Resampled(hats(y + padding(height) * draw(), height), hats(columns, width))


@revised(1)
def flip_resized_crop(images: Tensor, generator: torch.Generator) -> Resampled:
    """Draw a random-resized crop and a flip for each of `images` (N, C, H, W) from `generator`, on its device.

    A crop is drawn as torchvision's RandomResizedCrop draws it, at its default scale and ratio, and brought back to
    HxW by bilinear interpolation (REM and SEM, scripts for the ImageNet subset).
    """
    count, _, height, width = images.shape
    device = generator.device

    def draw(columns: int = 1) -> Tensor:
        return torch.rand(count, columns, generator=generator, device=device)

    area = height * width * (AREA[0] + (AREA[1] - AREA[0]) * draw(TRIES))
    ratio = torch.exp(math.log(RATIO[0]) + math.log(RATIO[1] / RATIO[0]) * draw(TRIES))
    high, wide = (area / ratio).sqrt().round(), (area * ratio).sqrt().round()
    inside = (high >= 1) & (high <= height) & (wide >= 1) & (wide <= width)
    first = inside.int().argmax(1, keepdim=True)
    found = inside.any(1, keepdim=True)
    high = torch.where(found, high.gather(1, first), height)  # if no try fits, which is rare, it is the whole image
    wide = torch.where(found, wide.gather(1, first), width)
    top, left = (draw() * (height - high + 1)).floor(), (draw() * (width - wide + 1)).floor()
    flipped = draw() < 0.5
    columns = _within(left, wide, width)
    columns = torch.where(flipped, columns.flip(1), columns)
    return Resampled(hats(_within(top, high, height), height), hats(columns, width))


def has_large_views(shape: Sequence[int]) -> bool:
    """Whether views of images of `shape` (..., H, W) are random-resized crops."""
    return min(shape[-2:]) >= LARGE_VIEWS


def views_key(shape: Sequence[int]) -> dict[str, Any]:
    """What a key says of the views of images of `shape` (..., H, W): nothing of padded crops, which came first."""
    draw = flip_resized_crop
    return {"views": [draw.__name__, revision_of(draw)]} if has_large_views(shape) else {}


def _within(start: Tensor, length: Tensor, size: int) -> Tensor:
    """(N, size): where the centres of `size` pixels lie that divide the pixels [start, start + length) evenly."""
    centres = (torch.arange(size, device=start.device) + 0.5) / size
    return start + (centres * length - 0.5).clamp(min=0).minimum(length - 1)


def hats(position: Tensor, size: int) -> Tensor:
    """(..., size): the weight of each of `size` pixels in linear interpolation at `position` (...), 0 to size - 1."""
    pixels = torch.arange(size, device=position.device)
    return (1 - (position[..., None] - pixels).abs()).clamp_(min=0)


class Augmentation(NamedTuple):
    """A random transform by name."""

    name: str
    draw: Callable[[Tensor, torch.Generator], Callable[[Tensor], Tensor]]

    @property
    def revision(self) -> int:
        """That of what draws it."""
        return revision_of(self.draw)


NO_AUGMENTATION = Augmentation("none", lambda images, generator: lambda unchanged: unchanged)
FLIP_CROP = Augmentation("flip_crop", flip_crop)
FLIP_TRANSLATE = Augmentation("flip_translate", flip_translate)
