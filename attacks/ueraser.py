"""UEraser: strong augmentation, and training on the worst of several views of every image."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from attacks._channels import lack_of_channels
from attacks._image_operations import applied
from attacks._plasma import plasma
from attacks.augmentation import eight_bits
from bench.core import FORWARD, Attack, Cost, Count, Fraction, Outline, Part

SOURCE = "UEraser (Qin et al. 2023, arXiv 2303.15127), released settings for CIFAR-10"
REPOSITORY = "lafeat/ueraser"
ROUGHNESS, INTENSITY = (0.3, 0.7), (0.5, 1.0)
TRIVIAL = {
    "autocontrast": (0.0, 0.0),
    "equalize": (0.0, 0.0),
    "rotate": (-30.0, 30.0),
    "posterize": (0.0, 4.0),
    "solarize": (0.0, 1.0),
    "contrast": (0.1, 1.9),
    "brightness": (0.1, 1.9),
    "sharpness": (0.1, 1.9),
    "shear_x": (-0.3, 0.3),
    "shear_y": (-0.3, 0.3),
    "translate_x": (-0.5, 0.5),
    "translate_y": (-0.5, 0.5),
}
"""The operations of TrivialAugment and the ranges of their magnitudes, as kornia lists them."""
AUGMENTATION_DIFFERS = (
    "every view has a TrivialAugment operation of its own; kornia draws one for the whole batch",
    "TrivialAugment works in 8 bits with the operations of torchvision and with signs; kornia's brightness adds, its "
    "contrast scales about 0, its shears are in degrees, and rotations, shears and shifts go one way only",
    "its posterize keeps 0 to 3 bits alike, where kornia rounds and keeps 0 and 4 half as often as 1 to 3",
    "plasma maps are those of kornia 0.9, 0.5 on average; earlier versions draw smaller corners and larger borders",
)


class UeraserLite(Attack):
    """Every view under plasma brightness, plasma contrast, a channel shuffle and one operation of TrivialAugment."""

    title = "UEraser-Lite"
    source = SOURCE
    repository = REPOSITORY
    deviations = AUGMENTATION_DIFFERS

    probability: Fraction = 0.5
    """That of either plasma and of the shuffle."""

    def declines(self, data: Outline, victim: str) -> str:
        return lack_of_channels(data, 1, 3)

    def augment(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Draw one such view of each image."""
        clouded = under_plasma(images, self.probability, generator)
        return trivially_augmented(shuffled(clouded, self.probability, generator), generator)


class Ueraser(Attack):
    """Of five UEraser views of every image, train on the one with the largest loss; later in training, on one view.

    The views cost as many forward passes without gradients, which are not counted as passes: training takes more than
    twice as long meanwhile.
    """

    title = "UEraser"
    source = SOURCE
    repository = REPOSITORY
    deviations = (
        "the largest loss is found in evaluation mode; the official code compares in the training pass",
        *AUGMENTATION_DIFFERS,
    )

    views: Count = 5
    worst_until: Fraction = 0.3
    """Share of training with the worst of the views, E_a: 60 of 200 epochs in the README; the code for SC has 50."""
    probability: Fraction = 0.5
    """That of either plasma and of the shuffle."""

    def declines(self, data: Outline, victim: str) -> str:
        return lack_of_channels(data, 1, 3)

    def uses(self) -> tuple[Part, ...]:
        return (UeraserLite,)

    def at(self, progress: float) -> "Ueraser":
        """One view from `worst_until` on."""
        return self if progress < self.worst_until else self.model_copy(update={"views": 1})

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return, for each image on its own, the view with the largest cross-entropy."""
        one_view = UeraserLite(probability=self.probability)
        if self.views == 1:
            return one_view.augment(images, labels, generator)
        worst, highest = images, torch.full((len(images),), -torch.inf, device=images.device)
        for _ in range(self.views):
            view = one_view.augment(images, labels, generator)
            with torch.no_grad():
                loss = F.cross_entropy(model(view), labels, reduction="none")
            worse = loss > highest
            worst, highest = torch.where(worse[:, None, None, None], view, worst), torch.maximum(loss, highest)
        return worst

    def cost(self, images: int, trained: int) -> Cost:
        """A third of a pass for each view, while there are several."""
        return Cost.of_images(0, other=self.worst_until * self.views * FORWARD * trained)


class UeraserMax(Ueraser):
    """Of five UEraser views of every image, train on the one with the largest loss, from the first step to the last.

    It costs as `ueraser` does at first.
    """

    title = "UEraser-Max"

    worst_until: Fraction = 1.0


def under_plasma(images: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Images with clouds of brightness, then of contrast, each with a probability of its own for each image."""
    intensity = _between(*INTENSITY, len(images), generator)
    brightness = (2 * _clouds(images, generator) - 1) * intensity
    images = torch.where(_chosen(images, probability, generator), (images + brightness).clamp(0, 1), images)
    contrast = 4 * _clouds(images, generator)
    return torch.where(_chosen(images, probability, generator), ((images - 0.5) * contrast + 0.5).clamp(0, 1), images)


def shuffled(images: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Images with their channels in a random order, with a probability for each image."""
    order = torch.rand(images.shape[:2], generator=generator, device=generator.device).argsort(1)
    return torch.where(
        _chosen(images, probability, generator), images.take_along_dim(order[:, :, None, None], 1), images
    )


def trivially_augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image under one operation of TrivialAugment, its magnitude uniform in its range, in 8 bits."""
    ranges = torch.tensor(list(TRIVIAL.values()), device=images.device)
    choice = torch.randint(len(TRIVIAL), (len(images),), generator=generator, device=generator.device)
    strength = torch.rand(len(images), generator=generator, device=generator.device)
    magnitude = ranges[choice, 0].lerp(ranges[choice, 1], strength)
    return applied(eight_bits(images), list(TRIVIAL), choice, magnitude).float() / 255


def _clouds(images: Tensor, generator: torch.Generator) -> Tensor:
    """A plasma map for every channel, of one roughness for each image, shaped as the images."""
    count, channels, height, width = images.shape
    roughness = _between(*ROUGHNESS, count, generator).flatten().repeat_interleave(channels)
    maps = plasma(roughness, max(height, width), generator)
    return maps[:, :height, :width].view(images.shape)


def _between(low: float, high: float, count: int, generator: torch.Generator) -> Tensor:
    """A uniform draw for each image, (N, 1, 1, 1)."""
    return low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator, device=generator.device)


def _chosen(images: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Which images something happens to, (N, 1, 1, 1)."""
    return _between(0.0, 1.0, len(images), generator) < probability
