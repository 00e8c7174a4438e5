"""The embedded data set as grids name it."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from bench.core.data import ImageDataset, Outline, Split
from bench.core.datasets.base import About, DatasetSettings
from bench.core.synthetic import draw


class Synthetic(DatasetSettings):
    """The embedded data set: small colour images drawn by our own code from a seed."""

    about: ClassVar[About] = About(
        images="4,000 + 2,000 of 16x16, or as many as the settings say, of 8x8 to 64x64",
        classes="10",
        licence="that of this suite",
        checksum="none: the seed fixes every pixel",
        split="two independent draws of the same classes",
        preprocessing="none",
        source="drawn here (bench/core/synthetic.py); needs no network and no file",
    )

    size: Annotated[int, Field(ge=8, le=64)] = 16
    """Height and width in pixels."""
    train_images: Annotated[int, Field(ge=1, le=1_000_000)] = 4000
    test_images: Annotated[int, Field(ge=1, le=1_000_000)] = 2000
    seed: int = 0
    """Fixes every image; it is part of the data, not of an experiment's randomness."""

    def outline(self, root: Path) -> Outline:
        return Outline(self.train_images, self.shape, 10, self.test_images)

    def load(self, root: Path) -> Split:
        train, test = (
            ImageDataset(*draw(count, size=self.size, seed=self.seed, part=part), num_classes=10)
            for part, count in (("train", self.train_images), ("test", self.test_images))
        )
        return Split(train, test)
