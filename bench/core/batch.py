"""What becomes of a batch in the training of a victim: flip and crop, then the hooks of every attack.

What hooks return for the first batch is checked, so that a mistake names attack and hook; later batches cost nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.augment import flip_crop
from bench.core.errors import brief
from bench.core.perturb import frozen
from bench.core.protocols import Attack, cross_entropy

TOLERANCE = 1e-5
"""Rounding may carry a value so far out of its range."""
VIEWING = ("prepare", "augment", "mix")
"""The hooks that decide what the perturbations begin with, without the network."""
Loss = Callable[[nn.Module, Tensor, Tensor], tuple[Tensor, Tensor]]
"""Of a network, its images and labels: the loss to train on, and the logits."""


@dataclass(frozen=True)
class Expected:
    """What the hooks must return for a batch: each check raises ValueError, which names attack and hook."""

    batch: Tensor
    """The prepared images, float (N, C, H, W)."""
    low: float
    high: float
    """Their range: [0, 1], or a wider one if an attack may leave it."""
    num_classes: int

    @classmethod
    def of(cls, batch: Tensor, num_classes: int, attacks: Sequence[Attack]) -> "Expected":
        """What to expect for such a batch, which is checked too if an attack prepared the data."""
        wide = any(attack.leaves_range for attack in attacks)
        low, high = (min(0.0, batch.min().item()), max(1.0, batch.max().item())) if wide else (0.0, 1.0)
        expected = cls(batch, low, high, num_classes)
        if names := _named(attacks, "prepare"):
            expected.images(names, batch)
        return expected

    def images(self, whose: str, found: Any) -> Tensor:
        """Images shaped as the batch, in its range."""
        shape = tuple(self.batch.shape)
        if wrong := self._wrong(found, shape, self.low, self.high):
            raise ValueError(
                f"{whose} must return float32 images of shape {shape} in [{self.low:g}, {self.high:g}], got {wrong}"
            )
        images: Tensor = found
        return images

    def mixture(self, whose: str, found: Any) -> tuple[Tensor, Tensor]:
        """Such images, and the share of each class in each of them."""
        if not _is_pair(found):
            raise ValueError(f"{whose} must return images and shares of the classes, got {_described(found)}")
        shape = (len(self.batch), self.num_classes)
        if wrong := self._wrong(found[1], shape, 0.0, torch.inf):
            raise ValueError(f"{whose} must return float32 shares of shape {shape}, none below 0, got {wrong}")
        return self.images(whose, found[0]), found[1]

    def loss(self, whose: str, found: Any) -> tuple[Tensor, Tensor]:
        """A loss and the logits of each image."""
        shapes = [(), (len(self.batch), self.num_classes)]
        if not _is_pair(found) or [getattr(one, "shape", None) for one in found] != shapes:
            raise ValueError(
                f"{whose} must return a loss of shape {shapes[0]} and logits of shape {shapes[1]}, "
                f"got {_described(found)}"
            )
        return found[0], found[1]

    def _wrong(self, found: Any, shape: tuple[int, ...], low: float, high: float) -> str:
        """What keeps `found` from being a float tensor of such shape and range; empty if nothing does."""
        if not isinstance(found, Tensor) or tuple(found.shape) != shape:
            return _described(found)
        if found.dtype != torch.float32 or found.device != self.batch.device:
            return f"{found.dtype} on {found.device}"
        if not torch.isfinite(found).all():
            return "values that are not finite"
        least, most = found.min().item(), found.max().item()
        return "" if low - TOLERANCE <= least <= most <= high + TOLERANCE else f"values in [{least:g}, {most:g}]"


def now_of(attacks: Sequence[Attack], progress: float) -> list[Attack]:
    """The attacks for a batch, `progress` being the share of training that is done."""
    now = [attack.at(progress) for attack in attacks]
    for attack, found in zip(attacks, now, strict=True):
        if not isinstance(found, Attack):
            raise ValueError(f"{_name(attack, 'at')} must return an attack, got {_described(found)}")
    return now


def views_of(
    images: Tensor,
    labels: Tensor,
    attacks: Sequence[Attack],
    crops: torch.Generator,
    generators: Sequence[torch.Generator],
    expected: Expected | None,
) -> tuple[Tensor, Tensor]:
    """Flip and crop, then every attack's view and mixture."""
    images = flip_crop(images, crops)(images)
    for attack, generator in zip(attacks, generators, strict=True):
        found = attack.augment(images, labels, generator)
        images = expected.images(_name(attack, "augment"), found) if expected else found
    for attack, generator in zip(attacks, generators, strict=True):
        mixture = attack.mix(images, labels, generator)
        images, labels = (
            expected.mixture(_name(attack, "mix"), mixture) if expected and "mix" in attack.hooks() else mixture
        )
    return images, labels


def perturbed(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    attacks: Sequence[Attack],
    generators: Sequence[torch.Generator],
    expected: Expected | None,
) -> Tensor:
    """What the network is trained on: every attack's perturbation of the views."""
    if not any("perturb" in attack.hooks() for attack in attacks):
        return images
    with frozen(model):
        for attack, generator in zip(attacks, generators, strict=True):
            found = attack.perturb(model, images, labels, generator)
            images = expected.images(_name(attack, "perturb"), found) if expected else found
    return images


def loss_of(attacks: Sequence[Attack], views: Tensor, expected: Expected | None) -> Loss:
    """The loss of the attack that has its own, else the usual one."""
    attack = next((attack for attack in attacks if "loss" in attack.hooks()), None)
    if attack is None:
        return cross_entropy
    own = partial(attack.loss, views)
    return (lambda *given: expected.loss(_name(attack, "loss"), own(*given))) if expected else own


def check_views(attacks: Sequence[Attack], views: Tensor, step: int) -> None:
    """Raise ValueError, which names the hooks that made the views, if these are not finite.

    What the network was then trained on tells nothing: the gradients of a network that diverged are not finite either.
    """
    names = _named(attacks, *VIEWING)
    if names and not torch.isfinite(views).all():
        raise ValueError(f"{names} must return finite images, which those of step {step} are not")


def _named(attacks: Sequence[Attack], *hooks: str) -> str:
    """Which of these hooks the attacks have, as messages name them."""
    return " or ".join(_name(attack, hook) for attack in attacks for hook in hooks if hook in attack.hooks())


def _name(attack: Attack, hook: str) -> str:
    return f"{type(attack).__name__}.{hook}"


def _is_pair(found: Any) -> bool:
    return isinstance(found, tuple | list) and len(found) == 2


def _described(found: Any) -> str:
    """What something is: of tensors the shape."""
    if isinstance(found, tuple | list):
        return f"({', '.join(map(_described, found))})"
    return f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else brief(found)
