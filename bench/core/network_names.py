"""What networks are called: `resnet50`, `resnet50/8` for an eighth of its width, `timm/NAME`, `timm/NAME/patch4`."""

import difflib
import inspect
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator
from torch import nn

from bench.core.densenet import densenet121, densenet121_3x3
from bench.core.errors import brief
from bench.core.networks import PATCH, TIMM, cnn, timm_network, two_linear, vgg11, vgg16, vgg19
from bench.core.residual import resnet18, resnet18_7x7, resnet50, resnet50_7x7, wrn34_10, wrn34_10_preactivation
from bench.core.revision import Part

MODELS: dict[str, Callable[..., nn.Module]] = {
    "cnn": cnn,
    "resnet18": resnet18,
    "resnet18_7x7": resnet18_7x7,
    "resnet50": resnet50,
    "resnet50_7x7": resnet50_7x7,
    "vgg11": vgg11,
    "vgg16": vgg16,
    "vgg19": vgg19,
    "densenet121": densenet121,
    "densenet121_3x3": densenet121_3x3,
    "wrn34_10": wrn34_10,
    "wrn34_10_preactivation": wrn34_10_preactivation,
    "two_linear": two_linear,
}
"""Functions of the numbers of classes and channels and, for those in FLAT, of the image's height and width.

One with a `width` makes the network as narrow as it is told; by default it is as wide as published.
"""
FLAT = {"two_linear"}
"""Networks over flattened pixels: they need the image's size, and take pixels as they are, without normalisation."""


def taken_apart(name: str) -> tuple[str, str]:
    """A network's own name, and what follows it after a slash: `("resnet50", "8")`, `("timm/vit_base", "patch4")`."""
    own, _, after = name.removeprefix(TIMM).partition("/")
    return (TIMM + own if name.startswith(TIMM) else own), after


def whole(name: str) -> str:
    """The network of full width that `name` stands for: `resnet50` for `resnet50/8`; names of timm stay as they are."""
    return name if name.startswith(TIMM) else taken_apart(name)[0]


def exact(name: str) -> bool:
    """Whether the network computes in float32 everywhere: it is flat, small or narrower than published.

    bfloat16 has too few bits for pixels as they are, and saves the small network nothing. Narrow ones are there for
    machines without a GPU, and are read against what these compute. Keys know nothing of precision: records tell it.
    """
    own, after = taken_apart(name)
    return own in {"cnn", *FLAT} or (bool(after) and not own.startswith(TIMM))


def divisors(name: str) -> list[int]:
    """By what the width of one of MODELS can be divided, so that it stays whole; nothing if it has none."""
    width = _width(name)
    return [number for number in range(2, width + 1) if width % number == 0]


def narrowing(name: str) -> dict[str, int]:
    """What the function of a network that `check_name` lets through is told of its width: nothing at full width."""
    own, divisor = taken_apart(name)
    return {"width": _width(own) // int(divisor)} if divisor else {}


def check_name(name: str) -> str:
    """Return `name` if a network is called so; raise ValueError with the choices otherwise."""
    own, after = taken_apart(name)
    choices = _choices(own)
    if own not in choices:
        close = difflib.get_close_matches(own, choices, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"unknown model {brief(name)}{hint or '; choices: ' + ', '.join(MODELS) + ', timm/NAME'}")
    if name == own or (PATCH.fullmatch(after) if own.startswith(TIMM) else after in map(str, divisors(own))):
        return name
    raise ValueError(f"unknown model {brief(name)}; {_what_may_follow(own)}")


def _choices(own: str) -> list[str]:
    if not own.startswith(TIMM):
        return list(MODELS)
    import timm

    return [TIMM + model for model in timm.list_models()]


def _width(own: str) -> int:
    """The full width of one of MODELS; 1 if it has none."""
    parameter = inspect.signature(MODELS[own]).parameters.get("width")
    return int(parameter.default) if parameter else 1


def _what_may_follow(own: str) -> str:
    if own.startswith(TIMM):
        return f"{own}/patch4 has patches of 4 pixels"
    choices = ", ".join(f"{own}/{number}" for number in divisors(own))
    return f"narrower ones are {choices}" if choices else f"{own} has no width to divide"


def maker(name: str) -> Part:
    """What makes the network called `name`, and has its revision."""
    return timm_network if name.startswith(TIMM) else MODELS[whole(name)]


ModelName = Annotated[str, AfterValidator(check_name)]
"""A setting that names a network."""
