"""Which stacks of attacks mean something: every other one is refused when the grid is read."""

from collections.abc import Sequence

from bench.core.data import Outline
from bench.core.errors import UserError, asked
from bench.core.models import misfit
from bench.core.protocols import HOOKS, Attack, Method
from bench.core.settings import STACKED, ImageShape
from bench.grid.cell import Choice

EXCLUSIVE = {
    "hold_out": "hold images out",
    "start": "bring the weights that training starts from",
    "perturb": "search for the worst image",
    "loss": "bring a training loss of their own",
}
"""Hooks that one attack of a stack may have at most, and what it does with it."""
Choices = Sequence[Choice[Attack]]


def check_stack(stack: Choices, where: str) -> None:
    """Raise UserError, naming the entry of `where` at fault, if the attacks cannot be stacked in this order.

    Attacks are listed in the order they act, so that one experiment cannot be written in two ways.
    """
    wrong = objection(stack)
    if wrong:
        raise UserError(f"{where}{wrong}")


def objection(stack: Choices) -> str | None:
    """Which attack cannot stand where it does, and why; None if all can."""
    for depth, choice in enumerate(stack):
        reason = _objection(choice, stack[:depth], alone=len(stack) == 1)
        if reason:
            return f"[{depth}]: {reason}"
    return None


def check_victim(stack: Choices, victim: str, data: Outline, models: str, attacks: str) -> None:
    """Raise UserError if the network called `victim` cannot take the images, or what the stack makes of them.

    The message begins with `models`, where victims are written, or with `attacks` if these change the shape.
    """
    seen = seen_by_victim(stack, data.shape)
    if reason := misfit(victim, data.num_classes, seen):
        raise UserError(f"{models if seen == data.shape else attacks}: victim {reason}")


def check_method(method: Choice[Method], data: Outline, where: str) -> None:
    """Raise UserError, beginning with `where`, if a network of the method cannot take the data."""
    for network in method.settings.networks():
        if reason := misfit(network, data.num_classes, data.shape):
            raise UserError(f"{where}: {method.name}: {reason}")


def seen_by_victim(stack: Choices, shape: ImageShape) -> ImageShape:
    """The shape of what the victim gets for images of `shape`."""
    for choice in stack:
        shape = choice.settings.seen(shape)
    return shape


def declined(method: Choice[Method], stack: Choices, data: Outline, victim: str) -> str:
    """Which of them first declines such data or the network called `victim`, and why; empty if none does."""
    with asked(f"what {STACKED.join(one.name for one in (method, *stack))} declines"):
        reasons = [(method.name, method.settings.declines(data))]
        reasons += [(choice.name, choice.settings.declines(data, victim)) for choice in stack]
    return next((f"{name}: {reason}" for name, reason in reasons if reason), "")


def _objection(choice: Choice[Attack], earlier: Choices, alone: bool) -> str | None:
    """Why the attack cannot stand after the `earlier` ones; None if it can."""
    name, attack, hooks = choice.name, choice.settings, choice.settings.hooks()
    if not hooks:
        return None if alone else f"{name} is no attack: it must stand alone"
    for other in earlier:
        first, theirs = other.name, other.settings.hooks()
        for hook, doing in EXCLUSIVE.items():
            if hook in hooks and hook in theirs:
                return f"{name} and {first} each {doing}; a stack holds one"
        if HOOKS.index(hooks[0]) < HOOKS.index(theirs[0]):
            return f"{name} acts before {first} ({hooks[0]} comes before {theirs[0]}); list it first"
        if other.settings.leaves_range and not attack.takes_any_range:
            return f"{name} needs images in [0, 1], which {first} leaves"
        if attack.comes_first and "prepare" in theirs:
            return f"{name} decides what is released: list it first"
    if attack.idempotent and earlier and earlier[-1] == choice:
        return f"{name} a second time changes nothing"
    return None
