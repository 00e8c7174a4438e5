"""The embedded data set: small smooth colour images of ten classes, drawn by our own code from a seed.

Each class owns a few *scenes*, coarse random fields of colour (think of sky above grass). An image shows a random
window of one scene of its class, mirrored half of the time, blended with a finer field of its own. So a class is told
by weak, low-frequency statistics, which adversarial training can learn, under strong variation from image to image,
which makes them slow to learn; and the images are smooth, because white noise or fine texture would hide the
protecting noise.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.core.seeding import generator_for

CLASSES = 10
SCENES = 2
"""Scenes of one class: with one, a linear look at mean colours would do."""
SCENE_CELLS, OWN_CELLS = 3, 5
"""Cells across the field of a scene and of an image's own field: the coarser, the lower the frequencies."""
SCENE_SHARE = 0.55
"""Weight of the scene in an image; the own field has what is missing to unit variance."""
GREY_SHARE = 0.6
"""Weight of brightness in a field; the rest is colour."""
CONTRAST = 0.26
"""Standard deviation of a field, in [0, 1] units."""
NEAREST, FARTHEST = 0.6, 0.9
"""Share of a field's width that a window shows."""


def draw(count: int, *, size: int, seed: int, part: str) -> tuple[Tensor, Tensor]:
    """Draw `count` images, uint8 (count, 3, size, size), and their labels, int64 (count,), all classes alike often.

    `seed` fixes the scenes of the classes; `part` ("train", "test") names an independent draw of images of them.
    """
    generator = generator_for(seed, "synthetic", part)
    scenes = fields(CLASSES * SCENES, SCENE_CELLS, generator_for(seed, "synthetic", "scenes"))
    labels = torch.arange(count)[torch.randperm(count, generator=generator)] % CLASSES
    chosen = scenes[labels * SCENES + torch.randint(SCENES, (count,), generator=generator)]
    shared = windows(chosen, size, generator)
    own = windows(fields(count, OWN_CELLS, generator), size, generator)
    images = 0.5 + CONTRAST * (SCENE_SHARE * shared + math.sqrt(1 - SCENE_SHARE**2) * own)
    return (255 * images).round().clamp(0, 255).byte(), labels


def fields(count: int, cells: int, generator: torch.Generator) -> Tensor:
    """Random fields of colour (count, 3, cells, cells): normal, of unit variance, the channels correlated."""
    colour = torch.randn(count, 3, cells, cells, generator=generator)
    grey = torch.randn(count, 1, cells, cells, generator=generator)
    return math.sqrt(1 - GREY_SHARE**2) * colour + GREY_SHARE * grey


def windows(scenes: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """A window of each field at a random place and zoom, mirrored half of the time, smoothly sampled at size x size."""
    count = len(scenes)
    span = NEAREST + (FARTHEST - NEAREST) * torch.rand(count, generator=generator)
    mirror = 1 - 2 * torch.randint(2, (count,), generator=generator)
    centre = (2 * torch.rand(count, 2, generator=generator) - 1) * (1 - span)[:, None]
    placement = torch.zeros(count, 2, 3)
    placement[:, 0, 0], placement[:, 1, 1], placement[:, :, 2] = span * mirror, span, centre
    grid = F.affine_grid(placement, [count, 3, size, size], align_corners=False)
    return F.grid_sample(scenes, grid, mode="bicubic", padding_mode="reflection", align_corners=False)
