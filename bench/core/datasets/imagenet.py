"""The ImageNet subset of the paper: the first hundred classes."""

from pathlib import Path
from typing import ClassVar

from bench.core.datasets.base import About, Archive
from bench.core.datasets.image_files import PREPROCESSING, ImageFiles, Side
from bench.core.decoding import Fit
from bench.core.errors import UserError
from bench.core.listing import Listing, class_folders, same_classes, samples
from bench.core.settings import Count

HOME = "https://image-net.org/download-images"
PARTS = ("train", "val")


class ImageNet100(ImageFiles):
    """The first 100 classes of ImageNet (ILSVRC2012) by WordNet id, as the paper has them; from a folder of yours.

    `path` has train/ID/*.JPEG and val/ID/*.JPEG, as torchvision unpacks the official archives.
    """

    about: ClassVar[About] = About(
        images="about 129,000 + 5,000, made square at `size` pixels",
        classes="the first 100 in the order of their WordNet ids, such as n01440764",
        licence="non-commercial research; see the terms of image-net.org",
        checksum="",
        split="the official train and val, 50 validation images of each class",
        preprocessing=PREPROCESSING,
        source=f"Russakovsky et al., ImageNet large scale visual recognition challenge, IJCV 2015; {HOME}",
    )
    archives: ClassVar[tuple[Archive, ...]] = (
        Archive("ILSVRC2012_devkit_t12.tar.gz", "fa75699e90414af021442c21a62c3abf", HOME),
        Archive("ILSVRC2012_img_train.tar", "1d675b47d978889d74fa0da5fadfb00e", HOME),
        Archive("ILSVRC2012_img_val.tar", "29b22e2961454d5413ddabcf34fc5622", HOME),
    )

    path: str = "imagenet"
    """The folder, relative to --data-root or absolute."""
    size: Side = 224
    """Height and width in pixels."""
    fit: Fit = "squeeze"
    """As the scripts of REM and SEM: to a square, the aspect not kept. `crop` cuts out the centre instead."""
    classes: Count = 100
    """The first so many."""

    def by_hand(self, root: Path) -> str:
        folder = root / self.path
        return (
            f"{super().by_hand(folder)}, then unpack with torchvision.datasets.ImageNet({str(folder)!r}, 'train') and "
            "'val'; or write as `path` a folder of yours that has train/ID/ and val/ID/"
        )

    def listing(self, root: Path) -> Listing:
        folder = root / self.path
        if not all((folder / part).is_dir() for part in PARTS):
            raise UserError(f"{folder}: no train/ID/ and val/ID/ of ImageNet; {self.by_hand(root)}")
        train, test = (class_folders(folder, part, most=self.classes, strays=False) for part in PARTS)
        names = same_classes(PARTS, train, test)
        if len(names) < self.classes:
            raise UserError(f"{folder}: has {len(names)} classes of the {self.classes} wanted")
        return Listing(folder, names, samples(train, names), samples(test, names), train.broken | test.broken)
