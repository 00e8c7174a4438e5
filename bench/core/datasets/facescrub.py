"""Faces: a folder for each person, split here into images to train on and to test with."""

from pathlib import Path
from typing import ClassVar

import torch

from bench.core.datasets.base import BY_CONTENT, About
from bench.core.datasets.image_files import PREPROCESSING, ImageFiles, Side
from bench.core.errors import UserError
from bench.core.image_cache import refuse_cache_inside
from bench.core.listing import Found, Listing, Sample, class_folders
from bench.core.seeding import generator_for
from bench.core.settings import Count, Fraction


class FaceScrub(ImageFiles):
    """FaceScrub as in the paper's case study: 10 people, 102 + 18 images each (Ng and Winkler 2014); from your folder.

    `path` has a folder of images for each person. Any other folder of people, or of classes, is split alike.
    """

    about: ClassVar[About] = About(
        images="1,020 + 180, made square at `size` pixels",
        classes="10 people: the first by name; the paper does not say which",
        licence="research use only; the images belong to others: do not publish them",
        checksum=BY_CONTENT,
        split="15 % of each person's images by `split_seed`, as many of each person",
        preprocessing=PREPROCESSING,
        source="Ng and Winkler, A data-driven approach to cleaning large face datasets, ICIP 2014; by request of "
        "https://vintage.winklerbros.net/facescrub.html",
    )

    path: str
    """The folder, relative to --data-root or absolute."""
    size: Side = 112
    """Height and width in pixels; the paper does not tell its own."""
    classes: Count | None = 10
    """The first so many people by name; null is all."""
    images_per_class: Count | None = 120
    """So many images of each, drawn by `split_seed`; null is as many as the person with the fewest has.

    Those that are left out as broken are not replaced by others."""
    test_share: Fraction = 0.15
    """Share of each person's images that are to test with."""
    split_seed: int = 0
    """Decides which images are taken, and which of them are to test with."""

    def listing(self, root: Path) -> Listing:
        refuse_cache_inside(root / self.path, root)
        found = class_folders(root / self.path, most=self.classes, strays=False)
        names = sorted(found.files)
        if len(names) < (self.classes or 0):
            raise UserError(f"{root / self.path}: has {len(names)} folders of the {self.classes} wanted")
        count = self._count(found, root / self.path)
        tests = round(self.test_share * count)
        if not 0 < tests < count:
            raise UserError(f"{root / self.path}: test_share {self.test_share:g} of {count} images leaves no image")
        train, test = [], []
        for label, name in enumerate(names):
            files, generator = found.files[name], generator_for(self.split_seed, "facescrub", name)
            drawn = torch.randperm(len(files), generator=generator).tolist()[:count]
            test += sorted(Sample(files[row], label) for row in drawn[:tests])
            train += sorted(Sample(files[row], label) for row in drawn[tests:])
        return Listing(root / self.path, names, train, test, found.broken)

    def _count(self, found: Found, folder: Path) -> int:
        """How many images of each are used."""
        name, files = min(found.files.items(), key=lambda item: len(item[1]))
        if not files:
            raise UserError(f"{folder}: no image is in {name}; fill or delete it")
        count = self.images_per_class or len(files)
        if count > len(files):
            raise UserError(f"{folder}: {name} has {len(files)} images of the {count} wanted; lower images_per_class")
        return count
