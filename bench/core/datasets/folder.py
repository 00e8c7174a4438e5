"""A person's own images, as an image folder."""

from pathlib import Path
from typing import ClassVar

from bench.core.datasets.base import BY_CONTENT, YOURS, About
from bench.core.datasets.image_files import PREPROCESSING, ImageFiles
from bench.core.errors import UserError
from bench.core.listing import Listing, class_folders, same_classes, samples

TESTS = ("val", "test")
"""What the folder of test images may be called."""


class Folder(ImageFiles):
    """Your own images: `path`/train/CLASS/*.jpg and `path`/val (or test)/CLASS/*.jpg, made square at `size`.

    They are checked whole and decoded once, into the folder `decoded` of --data-root, which must be writable.
    """

    about: ClassVar[About] = About(
        images="as many as there are, made square at `size` pixels",
        classes="a folder each",
        licence=YOURS,
        checksum=BY_CONTENT,
        split="`path`/train and `path`/val, or `path`/test",
        preprocessing=PREPROCESSING,
        source="you",
    )

    path: str
    """The folder, relative to --data-root or absolute."""

    def listing(self, root: Path) -> Listing:
        folder = root / self.path
        if not folder.is_dir():
            layout = "has train/CLASS/ and val/CLASS/; its path is relative to --data-root"
            raise UserError(f"{folder}: no such folder; an image folder {layout}")
        test = next((name for name in TESTS if (folder / name).is_dir()), TESTS[0])
        second = class_folders(folder, test)
        first = class_folders(folder, "train", tests=[name for names in second.files.values() for name in names])
        classes = same_classes(("train", test), first, second)
        broken = first.broken | second.broken
        return Listing(folder, classes, samples(first, classes), samples(second, classes), broken)
