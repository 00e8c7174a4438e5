"""CIFAR-10 and CIFAR-100, as torchvision has them."""

from abc import abstractmethod
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field

from bench.core.data import ImageDataset, Outline, Split
from bench.core.datasets.arrays import cut
from bench.core.datasets.base import About, Archive, DatasetSettings

SOURCE = "Krizhevsky, Learning multiple layers of features from tiny images, 2009; https://www.cs.toronto.edu/~kriz"
TEST_IMAGES = 10_000
LICENCE = "none stated; the authors ask to cite them"


class Cifar(DatasetSettings):
    """What the two have in common."""

    classes: ClassVar[int]

    size: Annotated[int, Field(ge=4, le=32)] = 32
    """Height and width in pixels; below 32 the images are area-averaged."""
    train_images: Annotated[int, Field(ge=10, le=50_000)] = 50_000
    """The first so many training images, the same number of each class."""

    @staticmethod
    @abstractmethod
    def official() -> Any:
        """The class of torchvision, which is slow to import."""

    def outline(self, root: Path) -> Outline:
        return Outline(self.train_images, self.shape, self.classes, TEST_IMAGES)

    def is_there(self, root: Path) -> bool:
        kind = self.official()
        names = [name for name, _ in (*kind.train_list, *kind.test_list)]
        return all((root / kind.base_folder / name).is_file() for name in names)

    def fetch(self, root: Path) -> str:
        self.official()(root, download=True)  # does nothing if the official files are already there
        return ""

    def load(self, root: Path) -> Split:
        halves = [self.official()(root, train=train) for train in (True, False)]
        train, test = (
            ImageDataset(
                torch.from_numpy(half.data.transpose(0, 3, 1, 2).copy()), torch.tensor(half.targets), self.classes
            )
            for half in halves
        )
        return cut(train, test, self.train_images, self.size)


class Cifar10(Cifar):
    """CIFAR-10, 50,000 + 10,000 images of 32x32, 10 classes (Krizhevsky 2009); downloaded on first use."""

    classes: ClassVar[int] = 10
    archives: ClassVar[tuple[Archive, ...]] = (
        Archive(
            "cifar-10-python.tar.gz",
            "c58f30108f718f92721af3b95e74349a",
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        ),
    )
    about: ClassVar[About] = About(
        images="50,000 + 10,000 of 32x32",
        classes="10",
        licence=LICENCE,
        checksum="",
        split="the official one; `train_images` takes the first of each class",
        preprocessing="none; area-averaged below 32 pixels",
        source=SOURCE,
    )

    @staticmethod
    def official() -> Any:
        from torchvision.datasets import CIFAR10

        return CIFAR10


class Cifar100(Cifar):
    """CIFAR-100, 50,000 + 10,000 images of 32x32, 100 classes (Krizhevsky 2009); downloaded on first use."""

    classes: ClassVar[int] = 100
    archives: ClassVar[tuple[Archive, ...]] = (
        Archive(
            "cifar-100-python.tar.gz",
            "eb9058c3a382ffc7106e4002c42a8d85",
            "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        ),
    )
    about: ClassVar[About] = About(
        images="50,000 + 10,000 of 32x32",
        classes="100, the fine labels",
        licence=LICENCE,
        checksum="",
        split="the official one; `train_images` takes the first of each class",
        preprocessing="none; area-averaged below 32 pixels",
        source=SOURCE,
    )

    train_images: Annotated[int, Field(ge=100, le=50_000)] = 50_000
    """The first so many training images, the same number of each class."""

    @staticmethod
    def official() -> Any:
        from torchvision.datasets import CIFAR100

        return CIFAR100
