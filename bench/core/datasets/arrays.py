"""Data sets that fit into memory as arrays: the first so many images of each class, at another size."""

from dataclasses import replace

import torch

from bench.core.data import ImageDataset, Split
from bench.core.memory import empty, parts


def cut(train: ImageDataset, test: ImageDataset, train_images: int, size: int) -> Split:
    """The first so many training images, evenly over the classes, and all test images, at size x size."""
    return Split(resized(first_of_each_class(train, train_images), size), resized(test, size))


def first_of_each_class(data: ImageDataset, count: int) -> ImageDataset:
    """Keep the first `count` images, evenly over the classes: one more in the first ones if it does not divide.

    All images there are, however many of each class, are kept as they are.
    """
    if count == len(data):
        return data
    share, rest = divmod(count, data.num_classes)
    rows = [(data.labels == label).nonzero().flatten()[: share + (label < rest)] for label in range(data.num_classes)]
    kept = torch.cat(rows).sort().values
    if len(kept) < count:
        raise ValueError(f"asked for {count} images, but some class has fewer than {share + (rest > 0)}")
    return data.only(kept)


def resized(data: ImageDataset, size: int) -> ImageDataset:
    """Area-average the images to size x size, rounded to the nearest grey level; a no-op at their own size."""
    if data.shape[1:] == (size, size):
        return data
    images = empty((len(data), data.shape[0], size, size), torch.uint8, data.images.device)
    for part in parts(len(data), data.shape):
        images[part] = torch.nn.functional.interpolate(data.images[part].float(), size, mode="area").round()
    return replace(data, images=images)
