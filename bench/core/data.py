"""Images with labels: the only data path."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bench.core.device import fits
from bench.core.memory import empty, in_order, moved, parts, take
from bench.core.settings import ImageShape


@dataclass(frozen=True)
class ImageDataset:
    """Labelled images at rest.

    `images` is uint8 (N, C, H, W) in [0, 255], `labels` int64 (N,) in [0, num_classes). What an attack has prepared may
    also be float32, in [0, 1] units, if its images have values outside of [0, 1]. The labels are on the device
    that works with the data. So are the images, unless they are too large for it: then they stay on the CPU, and
    `floats` brings each batch.
    """

    images: Tensor
    labels: Tensor
    num_classes: int

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> ImageShape:
        """Channels, height and width of one image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def floats(self, index: Tensor | slice = slice(None)) -> Tensor:
        """The indexed images as float32 in [0, 1] units."""
        images = take(self.images, index, self.labels.device)
        return images.float() / 255 if images.dtype == torch.uint8 else images

    def only(self, index: Tensor) -> "ImageDataset":
        """A copy of the indexed images with their labels, in that order; it may exceed the memory."""
        images = empty((len(index), *self.shape), self.images.dtype, self.images.device)
        for part in parts(len(index), self.shape):
            images[part] = take(self.images, index[part], images.device)
        return replace(self, images=images, labels=self.labels[index])

    def to(self, device: torch.device) -> "ImageDataset":
        """The same data for work on another device."""
        images = moved(self.images, device) if fits(self.images.nbytes, device) else self.images
        return replace(self, images=images, labels=self.labels.to(device))

    def filled(
        self,
        images_of: Callable[[slice], Tensor],
        dtype: torch.dtype = torch.uint8,
        batch_size: int | None = None,
    ) -> "ImageDataset":
        """The same data with other images of the same shape, which may exceed the memory.

        `images_of` computes them for one slice after the other, on any device; `batch_size` images at a time, else as
        many as the memory likes.
        """
        images = empty(self.images.shape, dtype, self.images.device)
        for part in in_order(len(self), batch_size) if batch_size else parts(len(self), self.shape):
            images[part] = images_of(part).to(images.device)
        return replace(self, images=images)

    def noise(self, batch_size: int, make: Callable[[slice], Tensor]) -> Tensor:
        """The int8 noise that `make` returns for each slice of `batch_size` images, in order; it may exceed the memory.

        Inside, `self.floats(part)` and `self.labels[part]` are what `make` starts from.
        """
        return self.filled(make, torch.int8, batch_size).images

    def empty_noise(self, dtype: torch.dtype = torch.int8) -> Tensor:
        """An uninitialised array for the noise of every image, wherever the images are; it may exceed the memory."""
        return empty(self.images.shape, dtype, self.images.device)

    def protected(self, protection: Tensor) -> "ImageDataset":
        """The data as released: int8 noise in steps of 1/255 is added and clipped, uint8 replaces the images."""
        if protection.shape != self.images.shape:
            raise ValueError(f"protection has shape {tuple(protection.shape)}, the images {tuple(self.images.shape)}")
        if protection.dtype == torch.uint8:
            return replace(self, images=moved(protection, self.images.device))
        if protection.dtype != torch.int8:
            raise TypeError(f"a protection is int8 noise or uint8 images, not {protection.dtype}")
        images = self.images
        return self.filled(lambda part: (images[part].short() + protection[part].to(images.device)).clamp_(0, 255))


@dataclass(frozen=True)
class Split:
    """A training set and the clean test set that goes with it."""

    train: ImageDataset
    test: ImageDataset


@dataclass(frozen=True)
class Outline:
    """What is known of a data set before it is read."""

    train_images: int
    shape: ImageShape
    """Channels, height and width of one image."""
    num_classes: int
    test_images: int = 0
    """Those that victims are tested on; a forecast counts them."""
