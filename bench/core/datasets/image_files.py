"""Data sets of encoded images: listed, checked whole, decoded once, and mapped from then on."""

from abc import abstractmethod
from hashlib import blake2b
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field

from bench.core.data import ImageDataset, Outline, Split
from bench.core.datasets.base import DatasetSettings, Names
from bench.core.decoding import Fit, Look
from bench.core.errors import some
from bench.core.image_cache import decoded_images, fingerprint, known_broken
from bench.core.listing import Listing, with_reasons

Side = Annotated[int, Field(ge=4, le=1024)]
PREPROCESSING = (
    "turned upright as EXIF says; 16 bits scaled to 8; transparency before white; RGB; short side area-averaged to "
    "`size` and centre cut out, or squeezed to a square (fit: squeeze)"
)


class ImageFiles(DatasetSettings):
    """Images that Pillow decodes. They are kept decoded in the folder `decoded` of --data-root."""

    size: Side
    """Height and width in pixels."""
    fit: Fit = "crop"
    """`crop` resizes the short side to `size` and cuts out the centre; `squeeze` resizes both sides to it."""
    skip_broken: bool = False
    """Leave out what is no image to use, and say how many; without it such files are refused before anything trains."""

    @abstractmethod
    def listing(self, root: Path) -> Listing:
        """Which files are images, of which class, to train on or to test with. Raises UserError for a wrong layout."""

    def outline(self, root: Path) -> Outline:
        listing = self.listing(root)
        broken = known_broken(listing, root) if self.skip_broken else {}
        train, test = (sum(one.name not in broken for one in part) for part in (listing.train, listing.test))
        return Outline(train, self.shape, len(listing.classes), test)

    def fingerprint(self, root: Path) -> str:
        return fingerprint(self.listing(root), root)

    def fetch(self, root: Path) -> str:
        listing = self.listing(root)
        images, broken = self._decoded(listing, root)
        kept = listing.without(broken)
        left_out = f"; {len(broken):,} left out: {with_reasons(broken)}" if broken else ""
        leaked = _leaked(images, kept)
        copies = f"; {len(leaked):,} to test with are to train on as well: {some(leaked)}" if leaked else ""
        return (
            f"{listing.folder}: {len(kept.train):,} images to train on and {len(kept.test):,} to test with, "
            f"{len(kept.classes):,} classes{left_out}{copies}"
        )

    def load(self, root: Path) -> Split:
        listing = self.listing(root)
        images, broken = self._decoded(listing, root)
        kept = listing.without(broken)
        both = zip(images.split([len(kept.train), len(kept.test)]), (kept.train, kept.test), strict=True)
        return Split(
            *(ImageDataset(one, torch.tensor([label for _, label in part]), len(kept.classes)) for one, part in both)
        )

    def names(self, root: Path) -> Names:
        listing = self.listing(root)
        kept = listing.without(self._decoded(listing, root)[1])
        return Names(kept.classes, *([sample.name for sample in part] for part in (kept.train, kept.test)))

    def _decoded(self, listing: Listing, root: Path) -> tuple[torch.Tensor, dict[str, str]]:
        return decoded_images(listing, Look(self.size, self.fit), root, skip_broken=self.skip_broken)


def _leaked(images: torch.Tensor, listing: Listing) -> list[str]:
    """Images to test with that are to train on as well, pixel for pixel: `val/a.png = train/b.png`.

    All of an image is read only if another has its middle row.
    """
    rows = [row.numpy().tobytes() for row in images[:, :, images.shape[2] // 2].contiguous()]
    trained, samples = len(listing.train), listing.samples
    common = set(rows[:trained]) & set(rows[trained:])
    whole = {
        place: blake2b(images[place].numpy().tobytes()).digest() for place, row in enumerate(rows) if row in common
    }
    known = {content: samples[place].name for place, content in whole.items() if place < trained}
    tested = [(samples[place].name, known.get(content)) for place, content in whole.items() if place >= trained]
    return [f"{name} = {other}" for name, other in tested if other]
