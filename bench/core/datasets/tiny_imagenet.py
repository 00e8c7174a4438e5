"""Tiny ImageNet, from its archive."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from bench.core.data import Outline
from bench.core.datasets.base import About, Archive
from bench.core.datasets.image_files import PREPROCESSING, ImageFiles
from bench.core.errors import UserError
from bench.core.listing import Listing, Sample, class_folders, samples

FOLDER = "tiny-imagenet-200"
ANNOTATIONS = "val/val_annotations.txt"
"""A line for each validation image: its name, its class, and a box, with tabs between them."""


class TinyImageNet(ImageFiles):
    """Tiny ImageNet, 100,000 + 10,000 images of 64x64, 200 classes (Stanford CS231n); downloaded on first use."""

    about: ClassVar[About] = About(
        images="100,000 + 10,000 of 64x64",
        classes="200",
        licence="none stated; cut from ImageNet: non-commercial research",
        checksum="",
        split="the official train and val; the official test images have no labels",
        preprocessing=PREPROCESSING,
        source="Stanford CS231n; http://cs231n.stanford.edu",
    )
    archives: ClassVar[tuple[Archive, ...]] = (
        Archive(f"{FOLDER}.zip", "90528d7ca1a48142e341f4ef8d21d0de", f"http://cs231n.stanford.edu/{FOLDER}.zip"),
    )

    size: Annotated[int, Field(ge=4, le=64)] = 64
    """Height and width in pixels; below 64 the images are area-averaged."""

    whole: ClassVar[tuple[int, int, int]] = (100_000, 10_000, 200)
    """Images to train on and to validate with, and classes."""

    def outline(self, root: Path) -> Outline:
        images, test_images, classes = self.whole
        return Outline(images, self.shape, classes, test_images)

    def fingerprint(self, root: Path) -> str:
        return ""  # it is what its archive holds

    def is_there(self, root: Path) -> bool:
        return (root / FOLDER / ANNOTATIONS).is_file()

    def fetch(self, root: Path) -> str:
        if not self.is_there(root):
            from torchvision.datasets.utils import download_and_extract_archive

            [archive] = self.archives
            download_and_extract_archive(archive.url, str(root), filename=archive.file, md5=archive.md5)
        return super().fetch(root)

    def listing(self, root: Path) -> Listing:
        folder = root / FOLDER
        found = class_folders(folder, "train")
        images = {name: [file for file in files if not file.endswith(".txt")] for name, files in found.files.items()}
        classes = sorted(images)
        labels = {name: label for label, name in enumerate(classes)}
        train = samples(found._replace(files=images), classes)
        try:
            rows = [line.split("\t")[:2] for line in (folder / ANNOTATIONS).read_text().splitlines()]
            test = [Sample(f"val/images/{name}", labels[label]) for name, label in rows]
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"{folder / ANNOTATIONS}: not the list of validation images ({error})") from None
        if (len(train), len(test), len(classes)) != self.whole:
            raise UserError(
                f"{folder}: {len(train):,} + {len(test):,} images are not all there are; delete it to unpack it again"
            )
        return Listing(folder, classes, train, sorted(test), found.broken)
