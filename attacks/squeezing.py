"""Squeezing: pictures with fewer colours, levels or frequencies, in which small noise is lost (ISS)."""

import io
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field
from torch import Tensor

from attacks.picture_filter import PictureFilter

SOURCE = "ISS (Liu et al., ICML 2023, arXiv 2301.13838)"


class Gray(PictureFilter):
    """Grey pictures: the luminance in all three channels, by Pillow's integer rule."""

    title = "grayscale"
    source = SOURCE
    repository = "liuzrcc/ImageShortcutSqueezing"
    deviations = ("test pictures keep their colours, as in ISS; CUDA tests on grey pictures",)
    idempotent = True

    def filtered(self, images: Tensor) -> Tensor:
        """Raise ValueError for pictures of one channel, which are grey already."""
        if images.shape[1] != 3:
            raise ValueError(f"gray: needs pictures of 3 channels, got {images.shape[1]}")
        red, green, blue = images.int().unbind(1)
        luminance = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
        return luminance.byte()[:, None].repeat(1, 3, 1, 1)


class BitDepth(PictureFilter):
    """Bit-depth reduction: the highest bits of every value, the others 0."""

    title = "BDR"
    source = SOURCE
    repository = "liuzrcc/ImageShortcutSqueezing"
    idempotent = True

    bits: Annotated[int, Field(ge=1, le=7)] = 2
    """Bits kept of eight."""

    def filtered(self, images: Tensor) -> Tensor:
        """Mask the low bits."""
        return images & (256 - (1 << (8 - self.bits)))


class Jpeg(PictureFilter):
    """JPEG compression, by Pillow with its default chroma subsampling; the record names the library's version."""

    title = "JPEG"
    source = SOURCE
    repository = "liuzrcc/ImageShortcutSqueezing"

    quality: Annotated[int, Field(ge=1, le=100)] = 10

    def filtered(self, images: Tensor) -> Tensor:
        """Compress and decompress each picture, on the CPU. Raises ValueError unless it has 1 or 3 channels."""
        if images.shape[1] not in (1, 3):
            raise ValueError(f"jpeg: needs pictures of 1 or 3 channels, got {images.shape[1]}")
        pictures = images.movedim(1, 3).cpu().numpy()
        squeezed = np.stack([self._compressed(picture) for picture in pictures])
        return torch.from_numpy(squeezed).movedim(3, 1).contiguous().to(images.device)

    def _compressed(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """One picture (H, W, C) after the round trip."""
        file = io.BytesIO()
        Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture).save(file, "JPEG", quality=self.quality)
        with Image.open(file) as image:
            return np.asarray(image).reshape(picture.shape)
