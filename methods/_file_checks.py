"""Whether the arrays of a file are noise or images of a data set, in its order: what people get wrong with files."""

import math
from typing import Literal

import torch
from torch import Tensor

from bench.core import ImageDataset, parts, take

LOOKED_AT = 500
"""Images whose order is looked at, spread over the data."""
STRANGE = 0.05
"""The share of them that may be more like another image than like their own."""
BRIGHT = 32
"""Grey levels that noise without a negative value stays below on average; images do not."""

Held = Literal["noise", "images"]


def peak_of(values: Tensor, holds: Held, divide: float) -> float:
    """The largest value in grey levels, whatever its sign. Raises ValueError for what is out of range or not finite."""
    floats, lowest = values.is_floating_point(), -255 if holds == "noise" else 0
    if values.dtype == torch.uint8 and holds == "noise":
        raise ValueError("uint8 has no negative values, so it is no noise; write holds: images")
    if not floats and divide != 1:
        raise ValueError("divide is for floats; whole numbers are in grey levels")
    unit = 255 / divide if floats else 1.0
    low, high, total = math.inf, -math.inf, 0.0
    for part in parts(len(values), values.shape[1:]):
        rows = unit * values[part].double()
        if not rows.isfinite().all():
            raise ValueError("some values are not finite")
        low, high, total = min(low, float(rows.min())), max(high, float(rows.max())), total + float(rows.sum())
    if low < lowest - 0.5 or high > 255.5:
        told = "floats are in [0, 1] units; write divide: 255 if they are in grey levels"
        advice = told if floats else f"whole numbers are in grey levels, {lowest} to 255"
        raise ValueError(f"values go from {low / unit:.4g} to {high / unit:.4g}: {advice}")
    if holds == "noise" and low >= 0 and total / values.numel() > BRIGHT:
        raise ValueError("no value is negative and most are high, as in images; write holds: images if they are")
    return max(abs(low), abs(high))


def check_labels(labels: Tensor, data: ImageDataset) -> None:
    """Raise ValueError if the labels of a file (N,) are not those of the data."""
    own = data.labels.cpu()
    wrong = (labels != own).nonzero().flatten()
    if len(wrong):
        first = int(wrong[0])
        told = f"image {first} has label {int(labels[first])}, in the data {int(own[first])}"
        raise ValueError(f"another order: {told}; {len(wrong):,} labels differ")


def check_classes(clean: ImageDataset, released: ImageDataset) -> None:
    """Raise ValueError if no image of some class is protected, or if one has become a single grey level."""
    protected = torch.zeros(clean.num_classes, dtype=torch.bool, device=clean.labels.device)
    for part in parts(len(clean), clean.shape):
        before, after = clean.images[part].flatten(1), released.images[part].flatten(1)
        touched = (after != before).any(1)
        blank = (after == after[:, :1]).all(1) & (before != before[:, :1]).any(1)
        if blank.any():
            raise ValueError(f"image {part.start + int(blank.nonzero()[0])} is one grey level everywhere")
        protected[clean.labels[part][touched.to(clean.labels.device)]] = True
    bare = [label for label in clean.labels.unique().tolist() if not protected[label]]
    if bare:
        raise ValueError(f"class {bare[0]} is not protected: none of its images changes")


def check_order(clean: ImageDataset, released: ImageDataset) -> None:
    """Raise ValueError if released images are more like another clean image than like their own.

    Alike is what has bright and dark in the same places, or in the opposite ones.
    """
    index = torch.linspace(0, len(clean) - 1, min(len(clean), LOOKED_AT)).long()
    after, before = (_centred(take(data.images, index, torch.device("cpu"))) for data in (released, clean))
    likeness = (after @ before.T).abs()
    strangers = int((likeness.amax(1) > likeness.diagonal() + 1e-6).sum())
    if strangers > STRANGE * len(index):
        raise ValueError(f"another order: {strangers} of {len(index)} images are more like another clean image")


def _centred(images: Tensor) -> Tensor:
    """Images (N, C, H, W) as vectors (N, C * H * W) of mean 0 and length 1."""
    flat = images.flatten(1).float()
    return torch.nn.functional.normalize(flat - flat.mean(1, keepdim=True))
