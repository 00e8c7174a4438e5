"""Stacks that mean nothing are refused with a reason."""

import pytest
import torch
from torch import Tensor, nn

from attacks import ATTACKS
from attacks.gradient import Pgd
from attacks.plain import Plain
from attacks.trades import Trades
from bench.core.data import ImageDataset, Outline
from bench.core.errors import UserError
from bench.core.models import Classifier
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.grid.cell import Choice
from bench.grid.stack import check_stack, declined
from methods.sc import Sc


class Reserve(Attack):
    source = "test"

    def hold_out(self, data: ImageDataset, session: Session) -> list[Tensor]:
        return []


class Filter(Attack):
    source = "test"

    def prepare(self, released: ImageDataset, clean: ImageDataset, session: Session) -> ImageDataset:
        return released


class Rounding(Filter):
    idempotent = True


class Release(Filter):
    comes_first = True


class Floats(Filter):
    leaves_range = True


class Start(Attack):
    source = "test"
    takes_any_range = True

    def start(self, model: Classifier, session: Session) -> Classifier:
        return model

    def declines(self, data: Outline, victim: str) -> str:
        return "" if victim == "cnn" else "no weights"


class View(Attack):
    source = "test"

    def augment(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        return images


class Mixture(Attack):
    source = "test"
    takes_any_range = True

    def mix(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        return images, targets


class Other(Attack):
    source = "test"

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        return images


class Loss(Attack):
    source = "test"

    def loss(self, views: Tensor, model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return views.sum(), images


class Shift(View):
    takes_any_range = True


NAMED: dict[str, type[Attack]] = {
    "loss": Loss,
    "trades": Trades,
    "none": Plain,
    "pgd": Pgd,
    "reserve": Reserve,
    "filter": Filter,
    "rounding": Rounding,
    "release": Release,
    "floats": Floats,
    "start": Start,
    "view": View,
    "shift": Shift,
    "mixture": Mixture,
    "other": Other,
}


def check(*names: str) -> None:
    check_stack([Choice(name, NAMED[name]()) for name in names], "grid.yaml: attacks[2]")


@pytest.mark.parametrize(
    "stack",
    [
        "none",
        "pgd",
        "filter pgd",
        "pgd loss",
        "release filter filter rounding view view mixture pgd",
        "filter floats mixture mixture",
        "release floats",
        "reserve pgd",
        "reserve release filter pgd",
        "rounding filter",
        "rounding filter rounding",
        "reserve filter start view mixture pgd",
        "floats start mixture",
        "floats shift shift mixture",
        "start loss",
    ],
)
def test_a_stack_in_the_order_in_which_its_attacks_act_is_fine(stack: str) -> None:
    check(*stack.split())


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ("none pgd", "[0]: none is no attack: it must stand alone"),
        ("pgd none", "[1]: none is no attack: it must stand alone"),
        ("pgd other", "[1]: other and pgd each search for the worst image; a stack holds one"),
        ("pgd pgd", "[1]: pgd and pgd each search for the worst image; a stack holds one"),
        ("trades loss", "[1]: loss and trades each bring a training loss of their own; a stack holds one"),
        ("pgd filter", "[1]: filter acts before pgd (prepare comes before perturb); list it first"),
        ("filter mixture view", "[2]: view acts before mixture (augment comes before mix); list it first"),
        ("release reserve", "[1]: reserve acts before release (hold_out comes before prepare); list it first"),
        ("reserve reserve", "[1]: reserve and reserve each hold images out; a stack holds one"),
        ("reserve filter release", "[2]: release decides what is released: list it first"),
        ("filter rounding rounding", "[2]: rounding a second time changes nothing"),
        ("filter release", "[1]: release decides what is released: list it first"),
        ("view start", "[1]: start acts before view (start comes before augment); list it first"),
        ("start filter", "[1]: filter acts before start (prepare comes before start); list it first"),
        (
            "start start",
            "[1]: start and start each bring the weights that training starts from; a stack holds one",
        ),
        ("floats start view", "[2]: view needs images in [0, 1], which floats leaves"),
        ("floats filter", "[1]: filter needs images in [0, 1], which floats leaves"),
        ("floats mixture pgd", "[2]: pgd needs images in [0, 1], which floats leaves"),
    ],
)
def test_a_stack_that_means_nothing_is_refused_with_the_place_and_the_reason(stack: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        check(*stack.split())
    assert str(caught.value) == f"grid.yaml: attacks[2]{message}"


def test_what_a_method_or_an_attack_declines_is_told_by_name() -> None:
    stack = [Choice(name, NAMED[name]()) for name in ("filter", "start", "pgd")]
    data, method = Outline(9, (3, 8, 8), 2), Choice("sc", Sc(patch=3))
    assert declined(Choice("sc", Sc()), stack, data, "cnn") == ""
    assert declined(Choice("sc", Sc()), stack, data, "vgg16") == "start: no weights"
    assert declined(method, stack, data, "vgg16") == "sc: patch 3 does not divide an image of 8x8 pixels"


def test_the_hooks_of_an_attack_are_those_it_overrides() -> None:
    hooks = [NAMED[name].hooks() for name in ("none", "filter", "view", "mixture", "pgd")]
    assert hooks == [(), ("prepare",), ("augment",), ("mix",), ("perturb",)]
    assert [name for name, attack in ATTACKS.items() if not attack.hooks()] == ["none"]
