"""SVHN, as torchvision has it."""

from pathlib import Path
from typing import Annotated, ClassVar

import torch
from pydantic import Field, field_validator

from bench.core.data import ImageDataset, Outline, Split
from bench.core.datasets.arrays import cut
from bench.core.datasets.base import About, Archive, DatasetSettings

TRAIN, TEST = "train_32x32.mat", "test_32x32.mat"
HOME = "http://ufldl.stanford.edu/housenumbers"
IMAGES, TEST_IMAGES = 73_257, 26_032
EQUAL = 46_590
"""Ten times the images of the rarest digit."""


class Svhn(DatasetSettings):
    """SVHN, house numbers, 73,257 + 26,032 images of 32x32, 10 classes (Netzer 2011); downloaded on first use."""

    about: ClassVar[About] = About(
        images="73,257 + 26,032 of 32x32",
        classes="10 digits, not equally frequent: from 4,659 to 13,861 images to train on",
        licence="for non-commercial use only",
        checksum="",
        split="the official one, without the 531,131 extra images; `train_images` takes the first of each class",
        preprocessing="none; area-averaged below 32 pixels",
        source=f"Netzer et al., Reading digits in natural images, NeurIPS workshop 2011; {HOME}",
    )
    archives: ClassVar[tuple[Archive, ...]] = (
        Archive(TRAIN, "e26dedcc434d2e4c54c9b2d4a06d8373", f"{HOME}/{TRAIN}"),
        Archive(TEST, "eb5a983be6a315427106f1b164d9cef3", f"{HOME}/{TEST}"),
    )

    size: Annotated[int, Field(ge=4, le=32)] = 32
    """Height and width in pixels; below 32 the images are area-averaged."""
    train_images: Annotated[int, Field(ge=10, le=IMAGES)] = IMAGES
    """The first so many training images, the same number of each class: at most 46,590, or all, which are not equally
    many."""

    @field_validator("train_images")
    @classmethod
    def _can_be_equal(cls, count: int) -> int:
        if EQUAL < count < IMAGES:
            raise ValueError(f"must be at most {EQUAL}, the same number of each class, or all {IMAGES}")
        return count

    def outline(self, root: Path) -> Outline:
        return Outline(self.train_images, self.shape, 10, TEST_IMAGES)

    def is_there(self, root: Path) -> bool:
        return all((root / archive.file).is_file() for archive in self.archives)

    def fetch(self, root: Path) -> str:
        from torchvision.datasets import SVHN

        for part in ("train", "test"):
            SVHN(root, part, download=True)  # does nothing but to compare checksums if the files are there
        return ""

    def load(self, root: Path) -> Split:
        from torchvision.datasets import SVHN

        parts = [SVHN(root, part) for part in ("train", "test")]
        train, test = (
            ImageDataset(torch.from_numpy(part.data).contiguous(), torch.from_numpy(part.labels), 10) for part in parts
        )
        return cut(train, test, self.train_images, self.size)
