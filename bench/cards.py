"""What there is to know of a method or an attack before running it, as text."""

from collections.abc import Iterator
from textwrap import wrap

from bench.core.protocols import Attack, Method
from bench.core.session import IMAGES_PER_PASS
from bench.grid.expand import TABLES

WIDTH = 120
IMAGES = 50_000
"""The cost is that of CIFAR-10, whatever the data set."""
ACTS = {
    "hold_out": "on which images train",
    "prepare": "once, on the data set",
    "start": "on the network, before training",
    "augment": "on each view",
    "mix": "on each batch and its labels",
    "perturb": "on each batch, against the network",
    "loss": "on the training loss",
}


def method_cards() -> Iterator[str]:
    """A card for each method, as lines: what it does, budget, needs, cost, source and deviations, all at defaults."""
    for name, settings in TABLES["methods"].items():
        method = settings()
        assert isinstance(method, Method)  # the table of methods holds nothing else
        yield f"{name}: {(settings.__doc__ or '').strip().partition(chr(10))[0]}"
        yield from _line("budget", _budget(method))
        yield from _line("noise", "one for each class" if method.class_wise else "one for each image")
        yield from _line("needs", method.needs)
        yield from _line("cost", _cost(method))
        yield from _origin(method)


def attack_cards() -> Iterator[str]:
    """A card for each attack, as lines: what it does, when, what it assumes, cost, source and deviations."""
    for name, settings in TABLES["attacks"].items():
        attack = settings()
        assert isinstance(attack, Attack)  # the table of attacks holds nothing else
        yield f"{name}: {(settings.__doc__ or '').strip().partition(chr(10))[0]}"
        yield from _line("acts", ", and ".join(ACTS[hook] for hook in attack.hooks()) or "never")
        yield from _line("assumes", ", ".join(sorted(attack.assumes)) or "nothing but the released images and labels")
        yield from _line("cost", _attack_cost(attack))
        yield from _origin(attack)


def _origin(plug_in: Method | Attack) -> Iterator[str]:
    yield from _line("source", plug_in.source)
    if plug_in.repository != "none":
        yield from _line("code", f"github.com/{plug_in.repository}")
    for deviation in plug_in.deviations:
        yield from _line("differs", deviation)
    yield ""


def _budget(method: Method) -> str:
    shape = (3, 32, 32)
    if method.norm == "linf":
        return f"l-inf {255 * method.bound(shape):.0f}/255"
    return f"l2 {method.bound(shape):.3f} at 3x32x32, rounding included" if method.norm == "l2" else "unbounded"


def _cost(method: Method) -> str:
    cost, unit = method.cost(IMAGES), f"passes of {IMAGES_PER_PASS} images"
    if cost.passes:
        return f"about {cost.passes:,.0f} {unit} on CIFAR-10"
    if cost.other:
        return f"no network; on CIFAR-10 the time of about {cost.other:,.0f} {unit} by a ResNet-18"
    return "no network"


def _attack_cost(attack: Attack) -> str:
    costs = []
    preparing, training = attack.cost(IMAGES, 0), attack.cost(0, IMAGES_PER_PASS)
    if preparing.passes:
        costs.append(f"about {preparing.passes:,.0f} passes of {IMAGES_PER_PASS} images on CIFAR-10, before training")
    if training.passes:
        costs.append(f"{1 + training.passes:g} passes for each of plain training")
    if training.other:
        costs.append(f"no further passes, but the time of {1 + training.other:.2g} for each of plain training")
    return "; ".join(costs) or "no further passes"


def _line(word: str, text: str) -> Iterator[str]:
    first, *others = wrap(text, WIDTH - 13)
    yield f"  {word:<10} {first}"
    yield from (f"{'':13}{line}" for line in others)
