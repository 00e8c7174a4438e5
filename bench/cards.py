"""What there is to know of a method, an attack, a measure, a data set or a network before running it, as text."""

import inspect
import json
import re
from collections.abc import Iterable, Iterator
from textwrap import wrap

import torch
from torch import nn

from bench.core.datasets import DATASETS, DatasetSettings
from bench.core.errors import UserError, cut, suggestion
from bench.core.measures import Measure
from bench.core.models import build
from bench.core.network_names import MODELS, check_name, divisors, exact, maker, whole
from bench.core.networks import TIMM
from bench.core.plug_in import PlugIn
from bench.core.protocols import Attack, Method
from bench.core.session import IMAGES_PER_PASS
from bench.core.settings import Settings
from bench.grid.plug_ins import TABLES
from bench.words import CARD

IMAGES = 50_000
"""The cost is that of CIFAR-10, whatever the data set."""
CLASSES, SIZE = 10, (32, 32)
PRECISION = "on a GPU that has bfloat16 its networks compute in it; the official code has float32"
ACTS = {
    "hold_out": "on which images train",
    "prepare": "once, on the data set",
    "start": "on the network, before training",
    "augment": "on each view",
    "mix": "on each batch and its labels",
    "perturb": "on each batch, against the network",
    "loss": "on the training loss",
}


def card(group: str, name: str) -> Iterator[str]:
    """What there is to know of one of the `methods`, `attacks`, `measures` or `datasets`, at its defaults.

    Raises UserError if none is called so.
    """
    name = _called(group, name)
    if group == "datasets":
        yield from _data_card(name, DATASETS[name])
        return
    plug_in = TABLES[group][name].model_construct()
    yield f"{name}: {first_line(plug_in.__doc__)}"
    if isinstance(plug_in, PlugIn) and (title := plug_in.called(name)) != name:
        yield from _line("in tables", title)
    yield from _settings(type(plug_in))
    if isinstance(plug_in, Method):
        yield from _line("budget", _budget(plug_in))
        yield from _line("noise", "one for each class" if plug_in.class_wise else "one for each image")
        yield from _line("needs", plug_in.needs)
        yield from _line("cost", _cost(plug_in))
    if isinstance(plug_in, Attack):
        yield from _line("acts", ", and ".join(ACTS[hook] for hook in plug_in.hooks()) or "never")
        yield from _line("assumes", ", ".join(sorted(plug_in.assumes)) or "nothing but the released images and labels")
        yield from _line("cost", _attack_cost(plug_in))
    if isinstance(plug_in, Measure):
        yield from _line("numbers", ", ".join(plug_in.numbers.values()) or "none that tables show; a figure does")
        yield from _line("trains", "networks, as the grid's victim" if plug_in.trains else "no network")
    if isinstance(plug_in, PlugIn):
        yield from _origin(plug_in)


def _called(group: str, word: str) -> str:
    """The name of the plug-in that is called so, by its name or as tables call it. Raises UserError if none is."""
    table = TABLES[group]
    names = {kind.called(name).lower(): name for name, kind in table.items() if issubclass(kind, PlugIn)}
    names |= {name.lower(): name for name in table}
    if word.lower() not in names:
        raise UserError(f"list {group} {cut(word)}: no such name{suggestion(word.lower(), table)}")
    return names[word.lower()]


def _data_card(name: str, kind: type[DatasetSettings]) -> Iterator[str]:
    about = kind.about
    yield f"{name}: {first_line(kind.__doc__)}"
    yield from _line("images", about.images)
    yield from _line("classes", about.classes)
    yield from _line("licence", about.licence)
    for archive in kind.archives:
        yield from _line("file", f"{archive.file}, md5 {archive.md5}, from {archive.url}")
    if about.checksum:
        yield from _line("checksum", about.checksum)
    yield from _line("split", about.split)
    yield from _line("prepared", about.preprocessing)
    yield from _settings(kind)
    yield from _line("source", about.source)
    yield ""


def model_card(name: str, published: Iterable[str]) -> Iterator[str]:
    """What there is to know of the network called `name`, as lines; `published` are accuracies from the literature.

    Raises UserError if none is called so.
    """
    try:
        one = build(check_name(name), num_classes=CLASSES, channels=3, size=SIZE, generator=torch.Generator())
    except ValueError as error:
        raise UserError(f"list models {cut(name)}: {error}") from None
    about = inspect.getdoc(maker(name)) or ""
    yield f"{name}: {first_line(about)}"
    weights = sum(parameter.numel() for parameter in one.parameters())
    yield from _line("weights", f"{weights / 1e6:,.3g} million for {CLASSES} classes and images of 3x32x32")
    for word, text in re.findall(r"^(Stem|Source): (.*)$", about, re.MULTILINE):
        yield from _line(word.lower(), text)
    norms = sum(isinstance(layer, nn.BatchNorm2d) for layer in one.modules())
    if one.pairs:
        yield from _line("folds", f"{len(one.pairs)} of its {norms} batch norms into convolutions while frozen")
    yield from _line("precision", "float32 everywhere" if exact(name) else "bfloat16 on a GPU that has it")
    if not name.startswith(TIMM) and (numbers := divisors(whole(name))):
        yield from _line("narrower", ", ".join(f"{whole(name)}/{number}" for number in numbers))
    for line in published:
        yield from _line("published", line)
    yield ""


def models() -> list[tuple[str, str]]:
    """Networks by name, a line each."""
    ours = [(name, first_line(make.__doc__)) for name, make in MODELS.items()]
    theirs = [
        ("NAME/8", "One of these with an eighth of its width; see the card for the widths that there are."),
        ("timm/NAME", "Any network of timm, untrained."),
        ("timm/NAME/patch4", "One of timm with patches, or a stem, of 4 pixels: ViT and ConvNeXt for small images."),
    ]
    return ours + theirs


def first_line(text: str | None) -> str:
    """The first line of a docstring."""
    return (text or "").strip().partition("\n")[0]


def _origin(plug_in: PlugIn) -> Iterator[str]:
    yield from _line("source", plug_in.source)
    if plug_in.repository != "none":
        yield from _line("code", f"github.com/{plug_in.repository}")
    for deviation in (*plug_in.deviations, *([PRECISION] if plug_in.networks() else [])):
        yield from _line("differs", deviation)
    if plug_in.large:
        settings = ", ".join(f"{name} {_short(value)}" for name, value in plug_in.large.items())
        yield from _line("large", f"{settings}: {plug_in.large_source}")
    yield ""


def _settings(kind: type[Settings]) -> Iterator[str]:
    """The settings with their defaults, as a grid has them."""
    fields = kind.model_fields
    written = {name for name, field in fields.items() if field.is_required()}
    defaults = kind.model_construct().model_dump(mode="json", exclude=written)
    told = [
        f"{name} {_short(defaults[name])}" if name in defaults else f"{name} (to be written)"
        for name in fields
        if name not in kind.idle
    ]
    if told:
        yield from _line("settings", ", ".join(told))


def _short(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_short, value))}]"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)


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
    first, *others = wrap(text, CARD - 13, break_on_hyphens=False)  # an address stays whole
    yield f"  {word:<10} {first}"
    yield from (f"{'':13}{line}" for line in others)
