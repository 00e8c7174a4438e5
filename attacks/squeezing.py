"""Squeezing: images with fewer colours, levels or frequencies, in which small noise is lost (ISS)."""

import io
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field
from torch import Tensor

from attacks._channels import lack_of_channels
from attacks._image_filter import ImageFilter
from bench.core import Outline

SOURCE = "ISS (Liu et al., ICML 2023, arXiv 2301.13838)"


class Gray(ImageFilter):
    """Grey images: the luminance in all three channels, by Pillow's integer rule."""

    title = "grayscale"
    source = SOURCE
    repository = "liuzrcc/ImageShortcutSqueezing"
    deviations = ("test images keep their colours, as in ISS; CUDA tests on grey images",)
    idempotent = True

    def declines(self, data: Outline, victim: str) -> str:
        """Images of one channel are grey already."""
        return lack_of_channels(data, 3)

    def filtered(self, images: Tensor) -> Tensor:
        """Weigh the channels."""
        red, green, blue = images.int().unbind(1)
        luminance = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
        return luminance.byte()[:, None].repeat(1, 3, 1, 1)


class BitDepth(ImageFilter):
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


class Jpeg(ImageFilter):
    """JPEG compression, by Pillow with its default chroma subsampling; the record names the library's version."""

    title = "JPEG"
    source = SOURCE
    repository = "liuzrcc/ImageShortcutSqueezing"

    quality: Annotated[int, Field(ge=1, le=100)] = 10

    def declines(self, data: Outline, victim: str) -> str:
        return lack_of_channels(data, 1, 3)

    def filtered(self, images: Tensor) -> Tensor:
        """Compress and decompress each image, on the CPU."""
        rows = images.movedim(1, 3).cpu().numpy()
        squeezed = np.stack([self._compressed(pixels) for pixels in rows])
        return torch.from_numpy(squeezed).movedim(3, 1).contiguous().to(images.device)

    def _compressed(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """One image (H, W, C) after the round trip."""
        file = io.BytesIO()
        Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(file, "JPEG", quality=self.quality)
        with Image.open(file) as image:
            return np.asarray(image).reshape(pixels.shape)
