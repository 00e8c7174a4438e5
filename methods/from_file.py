"""Noise or protected images that somebody else made, from a file: for methods that the suite does not have."""

from typing import ClassVar, Literal, Self

import torch
from pydantic import model_validator
from torch import Tensor

from bench.core import File, ImageDataset, Method, Norm, Outline, Positive, Radius, Session
from methods._arrays import read, shape_of
from methods._file_checks import check_classes, check_labels, check_order, peak_of

MOST = 127
"""Grey levels that int8 noise holds."""


class FromFile(Method):
    """What a file holds for each image of the data set, in its order, or for each class.

    The file is an array of four axes: images, then channels, height, width, or height, width, channels. Endings:
    .npy, .npz, .pt, .pth, .safetensors, and .pkl or .pickle with plain arrays. Whole numbers are grey levels, floats
    are in [0, 1] units. As many labels beside it as it has images are compared.
    """

    source = "whoever made the file"
    draws: ClassVar[bool] = False

    file: File
    """A path, absolute or relative to the working folder. In the cell's key stands its content."""
    array: str = ""
    """Which of several arrays in the file, by its name there."""
    holds: Literal["noise", "images"] = "noise"
    """What the file's values are: what is added to the images, or the protected images themselves."""
    wise: Literal["sample", "class"] = "sample"
    """Whether the file has noise for each image, or one pattern for each class."""
    divide: Positive = 1.0
    """Floats are divided by it: 255 if they are in grey levels."""

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.file.path is not None:  # else it is from a record
            shape_of(self.file, self.array)
        if self.holds == "images" and self.class_wise:
            raise ValueError("wise: class is for noise; protected images are each image's own")
        return self

    @property
    def class_wise(self) -> bool:
        return self.wise == "class"

    def phrase(self, key: str) -> str:
        """Tables show the file as its place was written."""
        return self.file.written or self.file.content if key == "file" else super().phrase(key)

    def declines(self, data: Outline) -> str:
        """Which other images the file is for."""
        rows, *image = shape_of(self.file, self.array)
        channels, height, width = data.shape
        wanted = data.num_classes if self.class_wise else data.train_images
        if rows == wanted and image in ([channels, height, width], [height, width, channels]):
            return ""
        word = "class" if self.class_wise else "image"
        there, here = "x".join(map(str, image)), f"{channels}x{height}x{width}"
        return f"{self.file.written} has {rows:,} rows of {there}, the data {wanted:,} of {here}, one for each {word}"

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Return int8 noise, or uint8 images if the file holds these or noise beyond int8.

        Raises ValueError for values that are no noise, or no images, of this data set in its order; UserError if the
        file is gone or changed.
        """
        values, labels = read(self.file, self.array)
        try:
            if labels is not None and not self.class_wise:
                check_labels(labels, data)
            values = values if values.shape[1:] == data.shape else values.permute(0, 3, 1, 2)
            peak = peak_of(values, self.holds, self.divide)
            protection = self._images(values, data) if self.holds == "images" else self._noise(values, data, peak)
            released = data.protected(protection)
            check_classes(data, released)
            if self.holds == "images":
                check_order(data, released)
        except ValueError as error:
            raise ValueError(f"{self.file.written}: {error}") from None
        return protection

    def _images(self, values: Tensor, data: ImageDataset) -> Tensor:
        return data.filled(lambda part: self._levels(values[part]).clamp_(0, 255)).images

    def _noise(self, values: Tensor, data: ImageDataset, peak: float) -> Tensor:
        """The noise of each image; the images with it if int8 cannot hold it."""
        rows = data.labels.cpu() if self.class_wise else torch.arange(len(data))

        def noise_of(part: slice) -> Tensor:
            return self._levels(values[rows[part]])

        if peak <= MOST:
            return data.filled(noise_of, torch.int8).images
        return data.filled(lambda part: (data.images[part].cpu() + noise_of(part)).clamp_(0, 255)).images

    def _levels(self, values: Tensor) -> Tensor:
        """Values in whole grey levels, int16."""
        return (
            (values.double() * (255 / self.divide)).round_().short() if values.is_floating_point() else values.short()
        )


class NoiseFile(FromFile):
    """A file whose noise stays within an l-inf radius."""

    title = "file"

    radius: Radius = 8 / 255
    """The l-inf bound that every image must keep; random noise of the same bound is the control."""


class NoiseFileL2(FromFile):
    """A file whose noise stays within an l2 radius."""

    title = "l2 file"
    norm: ClassVar[Norm] = "l2"

    l2_radius: Positive = 1.0
    """The l2 bound that every image must keep, in [0, 1] units; random noise of the same norm is the control."""


class UnboundedFile(FromFile):
    """A file that promises no bound, such as images with changed pixels or convolved ones."""

    title = "unbounded file"
    norm: ClassVar[Norm] = "none"
