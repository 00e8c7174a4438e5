"""How visible the change of released images is: norms, changed and saturated values, PSNR and SSIM."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.core.device import float64_device

WINDOW, SIGMA = 11, 1.5
"""Width and standard deviation in pixels of SSIM's Gaussian window (Wang et al., 2004, section III.C)."""
STABILISERS = (0.01**2, 0.03**2)
"""SSIM's constants for the means and for the variances, in the units of images in [0, 1] (same source)."""
BATCH = 1024
"""Images compared at a time, if they have at most `VALUES`."""
VALUES = BATCH * 3 * 32 * 32
"""Values compared at a time: 25 MB as float64, of which SSIM holds about ten at once."""


def perceptibility(clean: Tensor, released: Tensor) -> dict[str, float | None]:
    """Compare uint8 images (N, C, H, W) with what was released in their place.

    `linf` is the largest change of all, `mean_l2` the mean norm over images, both in [0, 1] units; `mean_l0` the mean
    number of changed pixels, `changed` the share of changed values, `saturated` the share of released values that are
    0 or 255; `psnr` is in dB of the mean square over all images, None if nothing changed; `ssim` the mean over
    images.
    """
    rows = torch.tensor([_batch(*pair) for pair in _batches(clean, released)], dtype=torch.float64)
    largest, sums = float(rows[:, 0].max()), rows[:, 1:].sum(0).tolist()
    l2, square, pixels, values, saturated, ssim = sums
    images, total = len(clean), clean.numel()
    return {
        "linf": round(largest / 255, 6),
        "mean_l2": round(l2 / images / 255, 6),
        "mean_l0": round(pixels / images, 3),
        "changed": round(values / total, 6),
        "saturated": round(saturated / total, 6),
        "psnr": round(-10 * math.log10(square / total / 255**2), 3) if square else None,
        "ssim": round(ssim / images, 6),
    }


def structural_similarity(first: Tensor, second: Tensor) -> Tensor:
    """SSIM of each pair of float images (N, C, H, W) in [0, 1]: (N,), the mean over channels and pixels.

    Only windows that lie wholly inside the image count; the window shrinks to the largest odd width that fits into a
    smaller image (Wang et al., 2004; the covariances are those of the population).
    """
    height, width = first.shape[2:]
    size = min(WINDOW, height - 1 + height % 2, width - 1 + width % 2)
    down, across = (_averages(length, size).to(first) for length in (height, width))

    def smooth(images: Tensor) -> Tensor:
        return down @ images @ across.mT  # a few times faster than a convolution with so few channels

    mean_a, mean_b = smooth(first), smooth(second)
    variance = smooth(first**2) + smooth(second**2) - mean_a**2 - mean_b**2
    covariance = smooth(first * second) - mean_a * mean_b
    means, variances = STABILISERS
    similarity = (2 * mean_a * mean_b + means) / (mean_a**2 + mean_b**2 + means)
    similarity = similarity * (2 * covariance + variances) / (variance + variances)
    return similarity.mean((1, 2, 3))


def _averages(length: int, size: int) -> Tensor:
    """(length - size + 1, length): row i weighs the pixels under a window of `size` pixels that begins at pixel i."""
    offsets = torch.arange(size, dtype=torch.float64) - size // 2
    weights = torch.softmax(-(offsets**2) / (2 * SIGMA**2), 0)
    return torch.stack([F.pad(weights, (start, length - size - start)) for start in range(length - size + 1)])


def _batches(clean: Tensor, released: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    size = max(1, min(BATCH, VALUES // clean[0].numel()))
    device = float64_device(clean.device)
    pairs = zip(clean.split(size), released.split(size), strict=True)
    return ((before.to(device), after.to(device)) for before, after in pairs)


def _batch(clean: Tensor, released: Tensor) -> list[float]:
    """The largest change, then sums over images: l2 norm, squares, changed pixels, changed, saturated values, SSIM."""
    change = released.short() - clean.short()
    square = change.int().square().sum((1, 2, 3)).double()
    quantities = (
        change.abs().max(),
        square.sqrt().sum(),
        square.sum(),
        (change != 0).any(1).sum(),
        (change != 0).sum(),
        ((released == 0) | (released == 255)).sum(),
        structural_similarity(clean.double() / 255, released.double() / 255).sum(),
    )
    return [float(quantity) for quantity in quantities]
