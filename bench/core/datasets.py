"""The data sets by name: the only downloads, and the only reading of images."""

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import torch
from pydantic import Field

from bench.core.data import ImageDataset, Outline, Split
from bench.core.image_cache import decoded_images, fingerprint
from bench.core.memory import empty, parts
from bench.core.settings import ImageShape, Settings
from bench.core.synthetic import draw

if TYPE_CHECKING:
    from torchvision.datasets import ImageFolder  # slow to import: only if a data set needs it

LARGE = 128
"""Height in pixels from which plug-ins take the settings published for the ImageNet subset."""


class DatasetSettings(Settings, ABC):
    """Which images, how many and how large. Every data set ends as uint8 tensors, in memory or mapped from a file."""

    size: int
    """Height and width in pixels."""

    @property
    def large_images(self) -> bool:
        """Whether the settings that papers use on the ImageNet subset fit better than those for CIFAR."""
        return self.size >= LARGE

    @property
    def shape(self) -> ImageShape:
        """Channels, height and width of every image."""
        return 3, self.size, self.size

    def fetch(self, root: Path) -> None:
        """Download what is missing in `root`, if the data set is one that can be downloaded."""
        return

    def is_there(self, root: Path) -> bool:
        """Whether `load` needs no download, as far as names of files tell."""
        return True

    @abstractmethod
    def load(self, root: Path) -> Split:
        """Read or make the images; `root` is the folder that holds downloaded or user-supplied data."""

    @abstractmethod
    def outline(self, root: Path) -> Outline:
        """Count and shape of the training images, without reading them."""

    def fingerprint(self, root: Path) -> str:
        """What identifies the content beyond the settings: empty if the settings say it all."""
        return ""


class Cifar10(DatasetSettings):
    """CIFAR-10, 50,000 + 10,000 images of 32x32, 10 classes (Krizhevsky 2009); downloaded on first use."""

    size: Annotated[int, Field(ge=4, le=32)] = 32
    """Height and width in pixels; below 32 the images are area-averaged."""
    train_images: Annotated[int, Field(ge=10, le=50_000)] = 50_000
    """The first so many training images, the same number of each class."""

    def outline(self, root: Path) -> Outline:
        return Outline(self.train_images, self.shape, 10)

    def is_there(self, root: Path) -> bool:
        from torchvision.datasets import CIFAR10

        names = [name for name, _ in (*CIFAR10.train_list, *CIFAR10.test_list)]
        return all((root / CIFAR10.base_folder / name).is_file() for name in names)

    def fetch(self, root: Path) -> None:
        from torchvision.datasets import CIFAR10

        CIFAR10(root, download=True)  # does nothing if the official files are already there

    def load(self, root: Path) -> Split:
        from torchvision.datasets import CIFAR10

        parts = [CIFAR10(root, train=train) for train in (True, False)]
        train, test = (
            ImageDataset(torch.from_numpy(part.data.transpose(0, 3, 1, 2).copy()), torch.tensor(part.targets), 10)
            for part in parts
        )
        return Split(resized(first_of_each_class(train, self.train_images), self.size), resized(test, self.size))


class Folder(DatasetSettings):
    """Your own images: `path`/train/CLASS/*.png and `path`/val (or test)/CLASS/*.png, resized to `size`.

    They are decoded once, into the folder `decoded` of --data-root, which must be writable.
    """

    path: str
    """The folder, relative to --data-root or absolute."""
    size: Annotated[int, Field(ge=4, le=1024)]
    """Height and width in pixels: the image is resized (area-averaged, aspect not kept) to a square."""

    def outline(self, root: Path) -> Outline:
        train, _ = self._parts(root)
        listing = self._listing(train)
        return Outline(len(listing), self.shape, len(listing.classes))

    def load(self, root: Path) -> Split:
        train, test = (self._listing(part) for part in self._parts(root))
        if train.classes != test.classes:
            raise ValueError(f"{train.root} and {test.root} have different classes: {train.classes} and {test.classes}")
        files = [file for listing in (train, test) for file, _ in listing.samples]
        images = decoded_images(files, self.size, folders=self._parts(root), root=root).split([len(train), len(test)])
        both = zip(images, (train, test), strict=True)
        return Split(*(ImageDataset(pixels, torch.tensor(part.targets), len(part.classes)) for pixels, part in both))

    def fingerprint(self, root: Path) -> str:
        return fingerprint(self._parts(root), root)

    def _parts(self, root: Path) -> tuple[Path, Path]:
        folder = root / self.path
        train, tests = folder / "train", [folder / name for name in ("val", "test")]
        test = next((path for path in tests if path.is_dir()), tests[0])
        for part in (train, test):
            if not part.is_dir():
                raise FileNotFoundError(f"{part}: no such folder; an image folder has train/CLASS/ and val/CLASS/")
        return train, test

    @staticmethod
    def _listing(folder: Path) -> "ImageFolder":
        from torchvision.datasets import ImageFolder

        return ImageFolder(str(folder))


class Synthetic(DatasetSettings):
    """The embedded data set: small colour images drawn by our own code from a seed."""

    size: Annotated[int, Field(ge=8, le=64)] = 16
    """Height and width in pixels."""
    train_images: Annotated[int, Field(ge=1, le=1_000_000)] = 4000
    test_images: Annotated[int, Field(ge=1, le=1_000_000)] = 2000
    seed: int = 0
    """Fixes every image; it is part of the data, not of an experiment's randomness."""

    def outline(self, root: Path) -> Outline:
        return Outline(self.train_images, self.shape, 10)

    def load(self, root: Path) -> Split:
        train, test = (
            ImageDataset(*draw(count, size=self.size, seed=self.seed, part=part), num_classes=10)
            for part, count in (("train", self.train_images), ("test", self.test_images))
        )
        return Split(train, test)


DATASETS: dict[str, type[DatasetSettings]] = {"cifar10": Cifar10, "folder": Folder, "synthetic": Synthetic}


def first_of_each_class(data: ImageDataset, count: int) -> ImageDataset:
    """Keep the first `count` images, evenly over the classes: one more in the first ones if it does not divide."""
    share, rest = divmod(count, data.num_classes)
    rows = [(data.labels == label).nonzero().flatten()[: share + (label < rest)] for label in range(data.num_classes)]
    kept = torch.cat(rows).sort().values
    if len(kept) < count:
        raise ValueError(f"asked for {count} images, but some class has fewer than {share + (rest > 0)}")
    return data.only(kept)


def resized(data: ImageDataset, size: int) -> ImageDataset:
    """Area-average the images to size x size, rounded to the nearest grey level; a no-op at their own size."""
    if data.shape[1:] == (size, size):
        return data
    images = empty((len(data), data.shape[0], size, size), torch.uint8, data.images.device)
    for part in parts(len(data), data.shape):
        images[part] = torch.nn.functional.interpolate(data.images[part].float(), size, mode="area").round()
    return replace(data, images=images)
