"""Low-pass filters of 3x3 pixels on the released images: integers only, bit by bit those of OpenCV."""

from typing import Literal

import torch
from torch import Tensor

from attacks._image_filter import ImageFilter

Border = Literal["reflect", "replicate"]


class Mean(ImageFilter):
    """Box blur: the mean of 3x3 pixels."""

    title = "mean filter"
    source = "seed paper (SEM, AAAI 2024), table 4; OpenCV's blur"
    repository = "liuyixin-louis/Stable-Unlearnable-Example"

    def filtered(self, images: Tensor) -> Tensor:
        """Round the mean to the nearest level; ties cannot occur, because 9 is odd."""
        return nearest(neighbours(images, "reflect").sum(0, dtype=torch.int16), 9)


class Gaussian(ImageFilter):
    """Gaussian blur of 3x3 pixels, with the fixed kernel 1-2-1 that OpenCV takes if sigma is left to it."""

    title = "Gaussian filter"
    source = "seed paper (SEM, AAAI 2024), table 4; OpenCV's GaussianBlur"
    repository = "liuyixin-louis/Stable-Unlearnable-Example"

    def filtered(self, images: Tensor) -> Tensor:
        """Weigh the pixels with the outer product of 1-2-1; halves are rounded up."""
        weights = torch.tensor([1, 2, 1, 2, 4, 2, 1, 2, 1], dtype=torch.int16, device=images.device)
        return nearest((weights.view(9, 1, 1, 1, 1) * neighbours(images, "reflect")).sum(0, dtype=torch.int16), 16)


class Median(ImageFilter):
    """The median of 3x3 pixels."""

    title = "median filter"
    source = "seed paper (SEM, AAAI 2024), table 4; OpenCV's medianBlur"
    repository = "liuyixin-louis/Stable-Unlearnable-Example"

    def filtered(self, images: Tensor) -> Tensor:
        """Take the fifth of nine values: the median of the rows' largest low, middle middle and smallest high.

        It is ten times faster than sorting, and cannot round.
        """
        rows = neighbours(images, "replicate").unflatten(0, (3, 3))
        low, high = rows.amin(1).amax(0), rows.amax(1).amin(0)
        middle = median_of_three(*median_of_three(*rows.unbind(1)))
        return median_of_three(low, middle, high)


def neighbours(images: Tensor, border: Border) -> Tensor:
    """The nine pixels around each pixel of (N, C, H, W), row by row: (9, N, C, H, W).

    Beyond its edge an image is mirrored without repeating the edge (OpenCV's reflect-101), or the edge is repeated.
    """
    height, width = images.shape[2:]
    rows, columns = (beyond(size, border).to(images.device) for size in (height, width))
    padded = images[:, :, rows[:, None], columns]
    return torch.stack([padded[:, :, y : y + height, x : x + width] for y in range(3) for x in range(3)])


def median_of_three(first: Tensor, second: Tensor, third: Tensor) -> Tensor:
    """The one in the middle, for each value."""
    low, high = torch.minimum(first, second), torch.maximum(first, second)
    return torch.maximum(low, torch.minimum(high, third))


def beyond(size: int, border: Border) -> Tensor:
    """The pixels -1 to `size` of a line, as those inside it that stand for them."""
    index = torch.arange(-1, size + 1)
    if border == "replicate" or size == 1:
        return index.clamp(0, size - 1)
    return size - 1 - (size - 1 - index.abs()).abs()


def nearest(total: Tensor, divisor: int) -> Tensor:
    """`total` / `divisor` as uint8, rounded to the nearest integer, halves upwards."""
    return torch.div(2 * total + divisor, 2 * divisor, rounding_mode="floor").byte()
