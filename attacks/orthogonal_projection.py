"""Orthogonal projection: remove what a linear classifier learns from the protected images."""

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.core import Attack, Count, ImageDataset, Outline, Positive, Session, batches

DECAY_AT = (0.5, 0.75)
"""Shares of the epochs after which the learning rate is a tenth of what it was."""


class OrthogonalProjection(Attack):
    """Train on the images without what the weights of a linear classifier of the protected images see in them.

    The images lose their components along those weights; they are then float and leave [0, 1].
    """

    source = "Orthogonal projection (Sandoval-Segura et al., NeurIPS 2023, arXiv 2305.19254)"
    repository = "psandovalsegura/learn-from-unlearnable"
    deviations = (
        "batches are shuffled, and the incomplete last one of an epoch is dropped",
        "the victim has the recipe of the grid; list affine_jitter and cutmix after it for the official views",
    )
    leaves_range = True
    phrases = {"directions": "{} directions"}

    epochs: Count = 20
    """Of the linear classifier."""
    batch_size: Count = 1024
    lr: Positive = 0.1
    """Of plain SGD; a tenth after 1/2 and again after 3/4 of the epochs."""
    directions: Literal["fitted", "random"] = "fitted"
    """`random` is the control: as many random directions are removed."""

    def controls(self) -> tuple[Attack, ...]:
        """Removing random directions."""
        return () if self.directions == "random" else (self.model_copy(update={"directions": "random"}),)

    def declines(self, data: Outline, victim: str) -> str:
        """An image must have more values than there are classes."""
        classes, values = data.num_classes, math.prod(data.shape)
        return f"{classes} directions leave nothing of {values} values" if classes >= values else ""

    def prepare(self, released: ImageDataset, clean: ImageDataset, session: Session) -> ImageDataset:
        """Project every image."""
        features = math.prod(released.shape)
        generator = session.generator("orthogonal projection")
        weights = initial_weights(released.num_classes, features, generator)
        if self.directions == "fitted":
            weights = self._fitted(weights, released, generator)
        basis: Tensor = torch.linalg.qr(weights.T).Q
        return released.filled(lambda part: _without(released.floats(part), basis), torch.float32)

    def _fitted(self, weights: Tensor, data: ImageDataset, generator: torch.Generator) -> Tensor:
        """Logistic regression without bias on raw images: weights (classes, values) after SGD from `weights`."""
        order = batches(len(data), self.batch_size, generator)
        per_epoch = max(1, len(data) // self.batch_size)
        for epoch in range(self.epochs):
            lr = self.lr * 0.1 ** sum(epoch >= int(share * self.epochs) for share in DECAY_AT)
            for _ in range(per_epoch):
                index = next(order)
                images = data.floats(index).flatten(1)
                errors = (images @ weights.T).softmax(1) - F.one_hot(data.labels[index], data.num_classes)
                weights = weights - lr / len(index) * errors.T @ images
        return weights


def initial_weights(classes: int, features: int, generator: torch.Generator) -> Tensor:
    """Those of a linear layer of PyTorch: uniform within 1/sqrt(features)."""
    bound = features**-0.5
    return torch.empty(classes, features, device=generator.device).uniform_(-bound, bound, generator=generator)


def _without(images: Tensor, basis: Tensor) -> Tensor:
    """Images (N, C, H, W) without their components along the columns of `basis` (values, directions)."""
    return images - (images.flatten(1) @ basis @ basis.T).view_as(images)
