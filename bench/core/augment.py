"""Random flips with crops or translations: batched, on the device and differentiable."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bench.core.revision import revised, revision_of


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
def flip_crop(images: Tensor, generator: torch.Generator) -> FlipCrop:
    """Draw a transform for each of `images` (N, C, H, W) from `generator`, on its device."""
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
class FlipTranslate:
    """One draw of flip (probability 1/2) and translation by fractions of a pixel (bilinear, black outside) for a batch.

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
def flip_translate(images: Tensor, generator: torch.Generator) -> FlipTranslate:
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
    return FlipTranslate(_hats(y + padding(height) * draw()), _hats(columns))


def _hats(position: Tensor) -> Tensor:
    """(N, S, S): the weight of pixel k in linear interpolation at `position` (N, S), nothing beyond the border."""
    pixels = torch.arange(position.shape[1], device=position.device)
    return (1 - (position[:, :, None] - pixels).abs()).clamp_(min=0)


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
