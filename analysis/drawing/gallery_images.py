"""The images of the gallery: what the noise of every method looks like on the same eight images.

Those that the suite draws are committed, because a report makes no noise. `python -m bench run gallery --scale tiny
--results FOLDER` and `python -m analysis.drawing.gallery_images FOLDER` make them again.
"""

import io
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.core.errors import UserError
from bench.store import Record, Store

FOLDER = Path(__file__).parents[1] / "gallery"
PLAN = "gallery-tiny"
PARTS = ("noise", "released", "spectrum")
COUNT = 8
"""Images, each of another class if there are as many."""
FACTOR = 8
"""How many times the noise is amplified, around grey; what does not fit is cut."""
FLOOR, CEILING = 0.3, 300.0
"""Amplitudes of the spectrum, in steps of 1/255 times pixels, that are black and white; between them by powers."""
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Sheet:
    """What is drawn of one method: PNG files."""

    title: str
    noise: bytes
    """The amplified noise of COUNT images, side by side."""
    released: bytes
    """The same images as they are released."""
    spectrum: bytes
    """The mean amplitude of the noise of all images, over frequencies, the lowest in the middle."""

    @property
    def anchor(self) -> str:
        """What links to it are called."""
        return re.sub(r"\W+", "-", self.title.lower())


@dataclass(frozen=True)
class Gallery:
    """What the noise of every method looks like on the same images."""

    about: str
    """What the images are, and where the noise comes from."""
    clean: bytes
    """The images without noise, side by side: a PNG file."""
    sheets: Sequence[Sheet]


def committed() -> Gallery:
    """The gallery on images that the suite draws."""
    titles = (FOLDER / "titles.txt").read_text().splitlines()
    sheets = [
        Sheet(title, *((FOLDER / f"{place:02}-{part}.png").read_bytes() for part in PARTS))
        for place, title in enumerate(titles)
    ]
    about = "The images are drawn by the suite (16x16, data set synthetic), the noise is made at scale tiny."
    return Gallery(about, (FOLDER / "clean.png").read_bytes(), sheets)


def drawn(store: Store, name: str, plan: Record, dataset: str, images: Pixels, classes: NDArray[np.int64]) -> Gallery:
    """The gallery of the plan `name` on the training images (N, side, side, 3) of one data set, from kept noise.

    `images` may be the first ones only. Raises UserError if no noise is kept.
    """
    shown = _of_each_class(classes)
    found: dict[str, Sheet] = {}
    missing: dict[str, None] = {}
    for place in (one for one in plan["conditions"] if one["dataset"] == dataset):
        title = str(plan["titles"][place["method"]]["title"])
        record = store.read(place["cells"][0]) if place["cells"] else None
        if title in found or place["method"] == "clean" or not record or record["status"] != "finished":
            continue
        if (noise := store.read_noise(record["noise"]["key"])) is None:
            missing[title] = None
        else:
            found[title] = _sheet(title, images, noise[0][: len(images)].numpy().transpose(0, 2, 3, 1), shown)
    if not found:
        again = f"run {plan.get('file', plan['grid'])} --scale {plan['scale']['name']} --results again"
        raise UserError(
            f"--gallery {name}: {store.root} keeps no noise of it; make some with python -m bench {again}, and report "
            "with --results again"
            if missing
            else f"--gallery {name}: no finished cell of it has noise"
        )
    lacking = [title for title in missing if title not in found]
    about = f"The images are those of {dataset}, the noise is that of {name}."
    if lacking:
        about += f" No noise is kept of {', '.join(lacking)}."
    return Gallery(about, _png(_strip(images[shown])), list(found.values()))


def make(store: Store) -> list[str]:
    """Write the committed images anew from the noise of a run of the grid, and return the titles of the methods."""
    from bench.core.synthetic import draw

    plan = store.plans()[PLAN]
    place = plan["conditions"][0]
    first = next(filter(None, map(store.read, place["cells"])))
    data = first["cell"]["dataset"]
    images, labels = draw(data["train_images"], size=data["size"], seed=data["seed"], part="train")
    gallery = drawn(store, PLAN, plan, place["dataset"], images.numpy().transpose(0, 2, 3, 1), labels.numpy())
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "clean.png").write_bytes(gallery.clean)
    for number, sheet in enumerate(gallery.sheets):
        for part in PARTS:
            (FOLDER / f"{number:02}-{part}.png").write_bytes(getattr(sheet, part))
    titles = [sheet.title for sheet in gallery.sheets]
    (FOLDER / "titles.txt").write_text("\n".join(titles) + "\n")
    return titles


def _of_each_class(classes: NDArray[np.int64]) -> list[int]:
    """The rows of the first image of each class, then of further ones: COUNT, or all there are."""
    firsts = np.unique(classes, return_index=True)[1]
    others = np.setdiff1d(np.arange(len(classes)), firsts)
    return [int(row) for row in (*firsts, *others)][:COUNT]


def _sheet(title: str, images: Pixels, protection: NDArray[np.generic], shown: list[int]) -> Sheet:
    """What is drawn of a protection, which is int8 noise or uint8 images."""
    whole = protection.dtype == np.uint8
    released = protection.astype(int) if whole else np.clip(images + protection.astype(int), 0, 255)
    noise = released.astype(int) - images.astype(int)
    return Sheet(
        title,
        _png(_strip(np.clip(128 + FACTOR * noise[shown], 0, 255))),
        _png(_strip(released[shown])),
        _png(spectrum(noise)),
    )


def spectrum(noise: NDArray[np.int_]) -> Pixels:
    """The mean amplitude (side, side) over images and channels of `noise` (N, side, side, 3), as grey by powers."""
    amplitude = np.abs(np.fft.fftshift(np.fft.fft2(noise, axes=(1, 2)), axes=(1, 2))).mean(axis=(0, 3))
    powers: NDArray[np.float64] = np.log(np.clip(amplitude, FLOOR, CEILING) / FLOOR) / np.log(CEILING / FLOOR)
    return np.round(255 * powers).astype(np.uint8)


def _strip(images: NDArray[np.generic]) -> Pixels:
    """Images (N, side, side, 3) side by side, a white pixel between them."""
    parts = np.pad(images, ((0, 0), (0, 0), (0, 1), (0, 0)), constant_values=255)
    return np.concatenate(list(parts), axis=1)[:, :-1].astype(np.uint8)


def _png(pixels: Pixels) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", optimize=True)
    return stream.getvalue()


if __name__ == "__main__":
    make(Store(Path(sys.argv[1])))
