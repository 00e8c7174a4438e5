"""OPS: one-pixel shortcut, one pixel of one colour for each class, chosen from the images without any network."""

from itertools import product
from typing import ClassVar, Literal

import torch
from torch import Tensor

from bench.core import ImageDataset, Method, Norm, Outline, Session, in_order

IMAGES = 250
"""Images summed together: bounds the memory."""


class Ops(Method):
    """One-pixel shortcut: all images of a class get one pixel of one pure colour, far from what they have there.

    Nothing is random: pixel and colour maximise the ratio of mean to spread of their distance to the class's images. An
    image that has that colour in that pixel already is released as it is.
    """

    title = "OPS"
    source = "OPS (Wu et al., ICLR 2023, arXiv 2205.12141), released code"
    repository = "cychomatica/One-Pixel-Shotcut"
    deviations = (
        "works for any number of classes and channels and for images that are not square",
        "a distance without spread counts as the best, the larger the better, and no distance at all as the worst; the "
        "official code divides by zero",
        "of equally good choices the first one is taken, in the official code it depends on the sorting",
    )
    draws: ClassVar[bool] = False
    norm: ClassVar[Norm] = "none"

    objective: Literal["code", "paper"] = "code"
    """`code` is mean over standard deviation of the distance in one channel, over images and channels; `paper` is mean
    over variance of the distance summed over channels, over images (equation 2)."""

    @property
    def class_wise(self) -> bool:
        return True

    def declines(self, data: Outline) -> str:
        """Every class with images needs a pair of pixel and colour for itself."""
        channels, height, width = data.shape
        classes, pairs = min(data.num_classes, data.train_images), 2**channels * height * width
        return f"{classes} classes have only {pairs} pairs of pixel and colour" if classes > pairs else ""

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Return the images with their class's pixel; pixel and colour together are no other class's."""
        channels, height, width = data.shape
        colours = torch.tensor(list(product((0, 1), repeat=channels)))
        free = torch.ones(len(colours), height * width, dtype=torch.bool)
        released = data.empty_noise(torch.uint8).copy_(data.images)
        for label in data.labels.unique().tolist():
            rows = (data.labels == label).nonzero().flatten().to(data.images.device)
            scores = self._scores(data.images[rows].flatten(2), colours).masked_fill(~free, -1)
            colour, pixel = divmod(int(scores.argmax()), height * width)
            free[colour, pixel] = False
            released[rows, :, pixel // width, pixel % width] = 255 * colours[colour].to(released)
        return released

    def _scores(self, images: Tensor, colours: Tensor) -> Tensor:
        """How good each of the colours (K, C) would be in each pixel of uint8 images (N, C, P): float64 (K, P), >= 0.

        Sums are whole numbers and the quotient is formed on the CPU, so that every device makes the same choice.
        """
        count, (total, square) = len(images), moments(images)
        covariance = count * square - total[:, None] * total[None]  # times count squared
        distance = torch.where(colours[:, :, None] == 1, 255 * count - total, total)
        mean = distance.sum(1)
        if self.objective == "code":
            within = covariance.diagonal(dim1=0, dim2=1).sum(1)
            spread = images.shape[1] * (within + distance.square().sum(1)) - mean.square()
            spread = spread.double().sqrt()
        else:
            sign = 1 - 2 * colours[:, :, None]  # the distance grows with the value from 0 and falls from 255
            spread = (sign[:, :, None] * sign[:, None] * covariance).sum((1, 2)).double()
        return mean / spread.clamp(min=1e-30)


def moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Sums over uint8 images (N, C, P) of their values (C, P) and of the products of channels (C, C, P): int64, CPU."""
    channels, pixels = images.shape[1:]
    total = torch.zeros(channels, pixels, dtype=torch.int64)
    square = torch.zeros(channels, channels, pixels, dtype=torch.int64)
    for part in in_order(len(images), IMAGES):
        values = images[part].int()
        total += values.sum(0).cpu()
        for channel in range(channels):
            square[channel] += (values[:, channel : channel + 1] * values).sum(0).cpu()
    return total, square
