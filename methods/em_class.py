"""Class-wise EM: error-minimising noise that all images of a class share."""

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.core import Count, ImageDataset, take
from methods.em import LOOP_DIFFERS, Em

SHARE = 0.2
"""Part of every class that one sweep visits."""


class EmClass(Em):
    """Error-minimising noise, one for each class: the mean of what its images ask for, batch by batch.

    A sweep visits a random fifth of every class; the noise of a batch starts where the batch before left it.
    """

    title = "EM class-wise"
    source = "EM (Huang et al., ICLR 2021), released settings for CIFAR-10, class-wise"
    deviations: ClassVar[tuple[str, ...]] = (
        "the protected image is clipped to [0, 1] in the weight update as well",
        "each sweep draws its fifth anew, with at least one image of every class; the official fifth is drawn once",
        "the stopping error is that of all images; the official one is that of the fifth",
        "the noise of an image is kept valid before the mean of its class is taken; the official one is clipped to the "
        "radius alone",
        "noise is added with its sign and rounded; the official loader loses every negative value and truncates",
        *LOOP_DIFFERS,
    )

    large_source: ClassVar[str] = (
        "released settings for the ImageNet subset, with torchvision's stem. The official radius there is 16/255, here "
        "that of the comparisons, 8/255"
    )

    steps: Count = 1
    """Signed-gradient steps for a batch, from the noise of its classes."""

    @property
    def class_wise(self) -> bool:
        return True

    def _rows(self, data: ImageDataset) -> Tensor:
        return data.labels

    def _sweep(self, data: ImageDataset, generator: torch.Generator) -> Iterator[Tensor]:
        shuffled = torch.randperm(len(data), generator=generator, device=generator.device)
        labels = data.labels[shuffled]
        chosen = []
        for label in range(data.num_classes):
            members = shuffled[labels == label]
            chosen.append(members[: max(1, round(SHARE * len(members)))])
        subset = torch.cat(chosen)
        order = torch.randperm(len(subset), generator=generator, device=generator.device)
        return iter(subset[order].split(self.batch_size))

    def _swept(self, images: int) -> int:
        return min(images, round(SHARE * images) + 100)  # rounding up, in at most a hundred classes

    def _improve(self, model: nn.Module, data: ImageDataset, noise: Tensor, index: Tensor) -> None:
        labels = data.labels[index]
        improved = self._improved(model, data.floats(index), labels, take(noise, labels, labels.device))
        members = F.one_hot(labels, len(noise)).T.to(improved.dtype)  # a product adds in a fixed order on a GPU too
        counts = members.sum(1)
        means = (members @ improved.flatten(1)).view_as(noise) / counts.clamp(min=1).view(-1, 1, 1, 1)
        met = counts > 0
        noise[met.to(noise.device)] = means[met].to(noise.device)
