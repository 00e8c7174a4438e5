"""Hooks that return what they must not: the first batch names attack and hook, and says what is expected."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from attacks.augmentation import AffineJitter, CutMix, Mixup
from attacks.gradient import Pgd
from bench.core.data import ImageDataset
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.core.train import DivergedError
from tests.conftest import MadeUp
from tests.core.training import trained

NAN = torch.nan
FLOATS = "float32 images of shape (4, 3, 8, 8) in [0, 1]"
SHARES = "float32 shares of shape (4, 2), none below 0"
LOGITS = "a loss of shape () and logits of shape (4, 2)"

IMAGES: list[tuple[Callable[[Tensor], Any], str]] = [
    (lambda images: images * NAN, "values that are not finite"),
    (lambda images: images[:2], "shape (2, 3, 8, 8)"),
    (lambda images: images[..., :4], "shape (4, 3, 8, 4)"),
    (lambda images: images.double(), "torch.float64 on cpu"),
    (lambda images: (255 * images).byte(), "torch.uint8 on cpu"),
    (lambda images: torch.full_like(images, -2), "values in [-2, -2]"),
    (lambda images: images.fill_(1.5), "values in [1.5, 1.5]"),
    (lambda images: (images, None), "(shape (4, 3, 8, 8), None)"),
    (lambda images: None, "None"),
]


class Made(Attack):
    """Makes something else of images in one of its hooks."""

    source = "test"

    def make(self, images: Tensor) -> Any:
        raise NotImplementedError


class Viewing(Made):
    def augment(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        return self.make(images)  # type: ignore[no-any-return]


class Perturbing(Made):
    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        return self.make(images)  # type: ignore[no-any-return]


class Mixing(Made):
    def mix(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        return self.make(targets)  # type: ignore[no-any-return]


class Losing(Made):
    def loss(self, views: Tensor, model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return self.make(model(images))  # type: ignore[no-any-return]


class Preparing(Made):
    def prepare(self, released: ImageDataset, clean: ImageDataset, session: Session) -> ImageDataset:
        return self.make(released.images)  # type: ignore[no-any-return]


class Wide(Preparing):
    leaves_range = True


class Later(Attack):
    """Changes nothing at first."""

    source = "test"
    progress: float = 0.0

    def at(self, progress: float) -> Attack:
        return self.model_copy(update={"progress": progress})

    def augment(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        return images * NAN if self.progress else images


class LaterPerturbing(Later):
    def augment(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        return images

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        return images * NAN if self.progress else images


def making(kind: type[Made], make: Callable[[Tensor], Any]) -> Attack:
    """An attack of this kind, which makes that of what it gets."""
    attack: type[Made] = type(kind.__name__, (kind,), {"make": lambda self, images: make(images)})
    return attack()


def refusal(two_layers: str, data: ImageDataset, *attacks: Attack) -> str:
    with pytest.raises(ValueError, match="must return") as told:
        trained(two_layers, data, *attacks, steps=1)
    return str(told.value)


@pytest.mark.parametrize(("make", "got"), IMAGES)
@pytest.mark.parametrize(("kind", "hook"), [(Viewing, "augment"), (Perturbing, "perturb")])
def test_images_that_are_none_are_told_with_attack_and_hook(
    kind: type[Made], hook: str, make: Callable[[Tensor], Any], got: str, two_layers: str, made_up: MadeUp
) -> None:
    data, attack = made_up([0, 1] * 5), making(kind, make)
    said = f"{kind.__name__}.{hook} must return {FLOATS}, got {got}"
    assert refusal(two_layers, data, attack) == said
    assert refusal(two_layers, data, Later(), attack, CutMix()) == said


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda shares: shares, "images and shares of the classes, got shape (4, 2)"),
        (lambda shares: (torch.ones(4, 3, 8, 8), shares[:2]), f"{SHARES}, got shape (2, 2)"),
        (lambda shares: (torch.ones(4, 3, 8, 8), shares.argmax(1)), f"{SHARES}, got shape (4,)"),
        (lambda shares: (torch.ones(4, 3, 8, 8), shares * NAN), f"{SHARES}, got values that are not finite"),
        (lambda shares: (torch.ones(4, 3, 8, 8), -shares), f"{SHARES}, got values in [-1, -0]"),
        (lambda shares: (torch.ones(4, 3, 8, 8) * 2, shares), f"{FLOATS}, got values in [2, 2]"),
    ],
)
def test_a_mixture_is_one_of_images_and_of_shares(
    make: Callable[[Tensor], Any], said: str, two_layers: str, made_up: MadeUp
) -> None:
    assert refusal(two_layers, made_up([0, 1] * 5), making(Mixing, make)) == f"Mixing.mix must return {said}"


@pytest.mark.parametrize(
    ("make", "got"),
    [
        (lambda logits: logits.sum(), "shape ()"),
        (lambda logits: (logits.sum(1), logits), "(shape (4,), shape (4, 2))"),
        (lambda logits: (logits.sum(), logits[:2]), "(shape (), shape (2, 2))"),
        (lambda logits: (logits.sum().item(), None), re.compile(r"\([-\d.e]+, None\)")),
    ],
)
def test_a_loss_comes_with_its_logits(
    make: Callable[[Tensor], Any], got: Any, two_layers: str, made_up: MadeUp
) -> None:
    said = refusal(two_layers, made_up([0, 1] * 5), making(Losing, make))
    start = f"Losing.loss must return {LOGITS}, got "
    assert said.startswith(start)
    assert re.fullmatch(got if isinstance(got, re.Pattern) else re.escape(got), said.removeprefix(start))


def test_what_takes_the_place_of_an_attack_is_one(two_layers: str, made_up: MadeUp) -> None:
    attack = type("Gone", (Later,), {"at": lambda self, progress: None})()
    assert refusal(two_layers, made_up([0, 1] * 5), attack) == "Gone.at must return an attack, got None"


def test_prepared_images_leave_their_range_only_if_the_attack_says_so(two_layers: str, made_up: MadeUp) -> None:
    whole = made_up([0, 1] * 5)
    images = torch.linspace(-3, 2, whole.images.numel()).view(whole.images.shape)
    data = ImageDataset(images, whole.labels, 2)
    wide = making(Wide, lambda images: images)
    assert refusal(two_layers, data, making(Preparing, lambda images: images)).startswith(
        f"Preparing.prepare must return {FLOATS}, got values in [-"
    )
    trained(two_layers, data, wide, AffineJitter(), CutMix(probability=1.0), Mixup(probability=1.0))
    assert "must return float32 images of shape (4, 3, 8, 8) in [-" in refusal(
        two_layers, data, wide, making(Viewing, lambda images: 5 * images)
    )


def test_views_that_are_not_finite_later_are_named_instead_of_the_learning_rate(
    two_layers: str, made_up: MadeUp
) -> None:
    data = made_up([0, 1] * 5)
    said = "Later.augment or CutMix.mix must return finite images, which those of step 2 are not"
    with pytest.raises(ValueError, match=said):
        trained(two_layers, data, Pgd(steps=1), Later(), CutMix(), steps=2)
    with pytest.raises(DivergedError, match="the training loss is nan at step 2; lower lr"):
        trained(two_layers, data, LaterPerturbing(), steps=2)
    with pytest.raises(DivergedError, match="lower lr"):
        trained(two_layers, data, Pgd(steps=1), steps=9, lr=1e30)
