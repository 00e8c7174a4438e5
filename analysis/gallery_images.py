"""The images of the gallery: what the noise of every method looks like on the same eight images that the suite draws.

They are committed, because a report makes no noise. `python -m bench run gallery --scale tiny --results FOLDER` and
`python -m analysis.gallery_images FOLDER` make them again.
"""

import io
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.store import Store

FOLDER = Path(__file__).parent / "gallery"
PLAN = "gallery-tiny"
COUNT = 8
"""Images, each of another class."""
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


def clean() -> bytes:
    """The images without noise, side by side."""
    return (FOLDER / "clean.png").read_bytes()


def sheets() -> list[Sheet]:
    """One for each method of the gallery, in its order."""
    titles = (FOLDER / "titles.txt").read_text().splitlines()
    parts = ("noise", "released", "spectrum")
    return [
        Sheet(title, *((FOLDER / f"{place:02}-{part}.png").read_bytes() for part in parts))
        for place, title in enumerate(titles)
    ]


def make(store: Store) -> list[str]:
    """Write the images anew from the noise of a run of the grid, and return the titles of the methods."""
    from bench.core.synthetic import draw

    plan = store.plans()[PLAN]
    made = [(place, record) for place in plan["conditions"] if (record := store.read(place["cells"][0]))]
    data = made[0][1]["cell"]["dataset"]
    drawn, labels = draw(data["train_images"], size=data["size"], seed=data["seed"], part="train")
    images, classes = drawn.numpy().transpose(0, 2, 3, 1), labels.numpy()
    shown = [int(np.flatnonzero(classes == one)[0]) for one in range(COUNT)]
    FOLDER.mkdir(exist_ok=True)
    _write("clean", _strip(images[shown]))
    for number, (_, record) in enumerate(made):
        found = store.read_noise(record["noise"]["key"])
        assert found is not None, f"the noise of {record['cell']['method']['name']} was not kept"
        protection = found[0].numpy().transpose(0, 2, 3, 1)
        released = protection if protection.dtype == np.uint8 else np.clip(images + protection.astype(int), 0, 255)
        noise = released.astype(int) - images
        _write(f"{number:02}-noise", _strip(np.clip(128 + FACTOR * noise[shown], 0, 255)))
        _write(f"{number:02}-released", _strip(released[shown]))
        _write(f"{number:02}-spectrum", spectrum(noise))
    titles = [str(plan["titles"][place["method"]]["title"]) for place, _ in made]
    (FOLDER / "titles.txt").write_text("\n".join(titles) + "\n")
    return titles


def spectrum(noise: NDArray[np.int_]) -> Pixels:
    """The mean amplitude (side, side) over images and channels of `noise` (N, side, side, 3), as grey by powers."""
    amplitude = np.abs(np.fft.fftshift(np.fft.fft2(noise, axes=(1, 2)), axes=(1, 2))).mean(axis=(0, 3))
    powers: NDArray[np.float64] = np.log(np.clip(amplitude, FLOOR, CEILING) / FLOOR) / np.log(CEILING / FLOOR)
    return np.round(255 * powers).astype(np.uint8)


def _strip(images: NDArray[np.generic]) -> Pixels:
    """Images (N, side, side, 3) side by side, a white pixel between them."""
    parts = np.pad(images, ((0, 0), (0, 0), (0, 1), (0, 0)), constant_values=255)
    return np.concatenate(list(parts), axis=1)[:, :-1].astype(np.uint8)


def _write(name: str, pixels: Pixels) -> None:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", optimize=True)
    (FOLDER / f"{name}.png").write_bytes(stream.getvalue())


if __name__ == "__main__":
    make(Store(Path(sys.argv[1])))
