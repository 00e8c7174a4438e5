"""The operations of RandAugment and TrivialAugment on 8-bit images, batched, each image with its own magnitude.

They give what torchvision.transforms.v2 gives for one image and one magnitude at a time. Each takes images, uint8
(N, C, H, W) with 1 or 3 channels, and magnitudes, float (N,).
"""

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Operation = Callable[[Tensor, Tensor], Tensor]


def brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Multiply by `factor`: 0 is black, 1 changes nothing."""
    return _blend(images, torch.zeros_like(images), factor)


def saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Blend with the grey image: factor 0 is grey, 1 changes nothing."""
    return _blend(images, _luminance(images), factor)


def contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Blend with the mean luminance: factor 0 is flat, 1 changes nothing."""
    return _blend(images, _luminance(images).mean((1, 2, 3), keepdim=True), factor)


def sharpness(images: Tensor, factor: Tensor) -> Tensor:
    """Blend with a smoothed image: factor 0 is smooth, 1 changes nothing; the pixels of the border stay."""
    channels, height, width = images.shape[1:]
    if min(height, width) <= 2:
        return images
    kernel = torch.ones(channels, 1, 3, 3, device=images.device)
    kernel[:, :, 1, 1] = 5
    smooth = images.float()
    smooth[:, :, 1:-1, 1:-1] = F.conv2d(smooth, kernel / 13, groups=channels).round()
    return _blend(images, smooth, factor)


def posterize(images: Tensor, bits: Tensor) -> Tensor:
    """Keep so many of the highest bits; a fraction counts for nothing, 0 bits are black."""
    mask = 256 - (1 << (8 - bits.long()))
    return (images & mask.view(-1, 1, 1, 1)).byte()


def solarize(images: Tensor, threshold: Tensor) -> Tensor:
    """Invert all values from `threshold` (in [0, 1]) up."""
    return torch.where(images >= 255 * threshold.view(-1, 1, 1, 1), 255 - images, images)


def autocontrast(images: Tensor, magnitude: Tensor) -> Tensor:
    """Stretch each channel to the full range, whatever the magnitude."""
    from torchvision.transforms.v2.functional import autocontrast as stretch  # slow to import

    return torch.as_tensor(stretch(images))


def equalize(images: Tensor, magnitude: Tensor) -> Tensor:
    """Equalise the histogram of each channel, whatever the magnitude.

    By Pillow's rule in integers this spares channels with fewer than 255 pixels below their maximum.
    """
    from torchvision.transforms.v2.functional import equalize as flatten  # slow to import

    return torch.as_tensor(flatten(images))


def shear_x(images: Tensor, slope: Tensor) -> Tensor:
    """Move each row to the left by `slope` times its distance from the upper edge."""
    zero, one = torch.zeros_like(slope), torch.ones_like(slope)
    return moved(images, [[one, slope, slope * images.shape[2] / 2], [zero, one, zero]])


def shear_y(images: Tensor, slope: Tensor) -> Tensor:
    """Move each column up by `slope` times its distance from the left edge."""
    return shear_x(images.mT, slope).mT


def translate_x(images: Tensor, share: Tensor) -> Tensor:
    """Move to the right by a share of the width, in whole pixels, rounded towards 0."""
    zero, one = torch.zeros_like(share), torch.ones_like(share)
    return moved(images, [[one, zero, -(share * images.shape[3]).trunc()], [zero, one, zero]])


def translate_y(images: Tensor, share: Tensor) -> Tensor:
    """Move down by a share of the height, in whole pixels, rounded towards 0."""
    return translate_x(images.mT, share).mT


def rotate(images: Tensor, degrees: Tensor) -> Tensor:
    """Rotate counter-clockwise about the centre."""
    cosine, sine = (degrees * (math.pi / 180)).cos(), (degrees * (math.pi / 180)).sin()
    return moved(images, [[cosine, -sine, torch.zeros_like(sine)], [sine, cosine, torch.zeros_like(sine)]])


OPERATIONS: Mapping[str, Operation] = {
    "identity": lambda images, magnitude: images,
    "shear_x": shear_x,
    "shear_y": shear_y,
    "translate_x": translate_x,
    "translate_y": translate_y,
    "rotate": rotate,
    "brightness": brightness,
    "saturation": saturation,
    "contrast": contrast,
    "sharpness": sharpness,
    "posterize": posterize,
    "solarize": solarize,
    "autocontrast": autocontrast,
    "equalize": equalize,
}


def _blend(images: Tensor, others: Tensor, factor: Tensor) -> Tensor:
    """The mixture factor * images + (1 - factor) * others in 8 bits, rounded down; equal values stay exactly."""
    return (images + (1 - factor).view(-1, 1, 1, 1) * (others - images.float())).clamp(0, 255).byte()


def _luminance(images: Tensor) -> Tensor:
    """Grey levels, float (N, 1, H, W), rounded down."""
    if images.shape[1] == 1:
        return images.float()
    red, green, blue = images.float().unbind(1)
    return (0.2989 * red + 0.587 * green + 0.114 * blue).floor_()[:, None]


def moved(images: Tensor, rows: list[list[Tensor]]) -> Tensor:
    """Each pixel (x, y) taken from where `rows` of an affine matrix send (x, y, 1): the nearest pixel, black outside.

    Coordinates are pixels from the centre; every entry of the matrix holds one value for each image.
    """
    count, channels, height, width = images.shape
    y = torch.arange(height, device=images.device)[:, None] - (height - 1) / 2
    x = torch.arange(width, device=images.device) - (width - 1) / 2
    places = [a.view(-1, 1, 1) * x + b.view(-1, 1, 1) * y + c.view(-1, 1, 1) for a, b, c in rows]
    columns, lines = (
        (place + (size - 1) / 2).round().long() for place, size in zip(places, (width, height), strict=True)
    )
    inside = (columns >= 0) & (columns < width) & (lines >= 0) & (lines < height)
    pixels = (lines * width + columns).where(inside, 0).view(count, 1, -1).expand(-1, channels, -1)
    return images.flatten(2).gather(2, pixels).view_as(images) * inside[:, None]


def applied(images: Tensor, names: Sequence[str], choice: Tensor, magnitude: Tensor) -> Tensor:
    """Apply to each image the operation that `choice` (N,) names, with its magnitude (N,)."""
    result = images.clone()
    for number, name in enumerate(names):
        rows = (choice == number).nonzero().flatten()
        if len(rows):
            result[rows] = OPERATIONS[name](images[rows], magnitude[rows])
    return result
