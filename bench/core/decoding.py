"""One encoded image to its pixels: three channels of 8 bits, upright, square; or why it cannot be one."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from bench.core.settings import digest

Fit = Literal["crop", "squeeze"]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]
BACKGROUND = (255, 255, 255)
"""White: the colour behind what is transparent."""
REVISION = 1
"""Raised if the same bytes become other pixels: no file of decoded images of before is then used."""
SIXTEEN_BITS = ("PNG", "PPM")
"""Formats whose grey levels Pillow may give as 32-bit numbers though they are of 16."""


@contextmanager
def quiet() -> Iterator[None]:
    """Let no warning of oddities in what comes with an image reach the user, whichever thread decodes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class UnusableError(ValueError):
    """A file is no image to train on; the message says why, in a few words."""


@dataclass(frozen=True)
class Look:
    """How an image becomes a square of `size` pixels.

    `crop` resizes the short side and cuts out the centre; `squeeze` resizes both sides, whatever the aspect.
    """

    size: int
    fit: Fit

    @property
    def name(self) -> str:
        """The same for the same pixels: 16 hexadecimal digits."""
        return digest([REVISION, self.size, self.fit])

    def pixels(self, content: str | bytes) -> Pixels:
        """The image in a file, or in the bytes of one, area-averaged: uint8 (3, size, size). Raises UnusableError."""
        try:
            with Image.open(content if isinstance(content, str) else io.BytesIO(content)) as image:
                return self._square(upright(image))
        except (UnusableError, MemoryError):
            raise
        except UnidentifiedImageError:
            raise UnusableError(_unknown(content)) from None
        except Exception as error:  # broken files make Pillow raise anything: SyntaxError, struct.error, EOFError, ...
            raise UnusableError(getattr(error, "strerror", None) or f"{error}" or type(error).__name__) from None

    def _square(self, image: Image.Image) -> Pixels:
        width, height = image.size
        if self.fit == "crop":
            side = min(width, height)
            left, top = (width - side) // 2, (height - side) // 2
            box = (left, top, left + side, top + side)
        else:
            box = (0, 0, width, height)
        square = image.resize((self.size, self.size), Image.Resampling.BOX, box)  # BOX is Pillow's area average
        return np.ascontiguousarray(np.asarray(square).transpose(2, 0, 1))  # here, because here threads share the work


def upright(image: Image.Image) -> Image.Image:
    """The image as people see it, in RGB: turned as EXIF says, before a white background, 16 bits scaled to 8.

    Raises UnusableError for animations and for grey levels whose range nobody knows.
    """
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # a photo with its preview; Pillow opens the photo
        raise UnusableError(f"an animation or a file of several pages: {frames} of them")
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode[0] in "IF":
        return _scaled(image).convert("RGB")
    if image.has_transparency_data:
        behind = Image.new("RGBA", image.size, BACKGROUND)
        return Image.alpha_composite(behind, image.convert("RGBA")).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _scaled(image: Image.Image) -> Image.Image:
    """Grey levels of 16 bits as the nearest ones of 8: 65535 becomes 255."""
    if image.mode == "F" or (image.mode == "I" and image.format not in SIXTEEN_BITS):
        raise UnusableError("grey levels of 32 bits, whose range is not known")
    levels = np.asarray(image).astype(np.uint32)
    return Image.fromarray(((levels + 128) // 257).astype(np.uint8))


def _unknown(content: str | bytes) -> str:
    size = Path(content).stat().st_size if isinstance(content, str) else len(content)
    if not size:
        return "an empty file"
    return "no format that is read here; write it as PNG or JPEG"
