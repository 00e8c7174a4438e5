"""What a data set is: which images, how many and how large, where they come from, and what its card says."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from bench.core.augment import views_key
from bench.core.data import Outline, Split
from bench.core.settings import ImageShape, Settings

LARGE = 128
"""Height in pixels from which plug-ins take the settings published for the ImageNet subset."""
YOURS = "yours to know: these are your images"
BY_CONTENT = "none to compare with; the content of every file takes part in the key of every cell"


class Archive(NamedTuple):
    """A file that is downloaded on first use, or put there by hand."""

    file: str
    """Its name in --data-root."""
    md5: str
    url: str


class Names(NamedTuple):
    """What the files of a data set call its parts; empty if it has no files of its own."""

    classes: Sequence[str] = ()
    """By label."""
    train: Sequence[str] = ()
    """The images to train on, in their order."""
    test: Sequence[str] = ()


@dataclass(frozen=True)
class About:
    """What the card of a data set says, in words."""

    images: str
    """How many, and how large."""
    classes: str
    licence: str
    checksum: str
    """What the files are compared with, if they are no `archives`."""
    split: str
    """Where training and test images come from."""
    preprocessing: str
    """What happens to an image before it is one of 8 bits and three channels."""
    source: str
    """Who made it, and where to get it."""


class DatasetSettings(Settings, ABC):
    """Which images, how many and how large. Every data set ends as uint8 tensors, in memory or mapped from a file."""

    about: ClassVar[About]
    """What its card says."""
    archives: ClassVar[tuple[Archive, ...]] = ()
    """The files that it comes in, if they can be downloaded."""

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

    def canonical(self) -> dict[str, Any]:
        """Revision, all settings, and what views of such images are, if these are not padded crops."""
        return super().canonical() | views_key(self.shape)

    def fetch(self, root: Path) -> str:
        """See that `load` finds all in `root`: download what can be downloaded, check and decode what is there.

        Returns a line on what was found, or nothing if the settings say it all. Raises UserError, OSError or
        RuntimeError if something is missing or broken.
        """
        return ""

    def by_hand(self, root: Path) -> str:
        """What to do if nothing can be downloaded here, in words: which files to get where; empty if there are none."""
        files = ", ".join(f"{one.file} (md5 {one.md5}) from {one.url}" for one in self.archives)
        return f"get {files} and put it into {root}" if files else ""

    def is_there(self, root: Path) -> bool:
        """Whether `load` needs no download, as far as names of files tell."""
        return True

    @abstractmethod
    def load(self, root: Path) -> Split:
        """Read or make the images; `root` is the folder that holds downloaded or user-supplied data."""

    @abstractmethod
    def outline(self, root: Path) -> Outline:
        """Count and shape of the training images, without reading them."""

    def names(self, root: Path) -> Names:
        """What the files in `root` call images and classes."""
        return Names()

    def fingerprint(self, root: Path) -> str:
        """What identifies the content beyond the settings: empty if the settings say it all."""
        return ""
