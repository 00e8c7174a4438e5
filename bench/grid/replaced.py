"""What a scale replaces of what a grid file says, and what --set reaches of it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from bench.core.errors import UserError, suggestion
from bench.grid.condition import Condition, Variant
from bench.grid.controls import changed
from bench.grid.scale import EVERY, Scale


def is_cut(dataset: Variant) -> bool:
    """Whether its images have another size at the scale than on paper."""
    return bool(dataset.choice.settings.shape != dataset.paper.settings.shape)


def replaced_by(
    scale: Scale,
    user: Scale,
    written: Mapping[str, Sequence[Any]],
    datasets: Sequence[Variant],
    models: Sequence[tuple[str, str]],
    settings: Collection[str],
) -> Iterator[str]:
    """In words, what the scale changed: `resnet18, vgg16 -> cnn`.

    `written` has all that a file writes under a key: names of data sets and of victims, numbers of seeds. Each of
    `models` is the one in use and the one on paper; `settings` are those that any plug-in of the grid has.
    """
    names = list(dict.fromkeys(written["datasets"]))
    if names != [one for one in names if one in {dataset.choice.name for dataset in datasets}]:
        yield f"{', '.join(names)} -> {datasets[0].choice.name}"
    for dataset in datasets:
        here, paper = dataset.choice, dataset.paper
        if here.name == paper.name and here != paper:
            yield f"{here.name}: {', '.join(map(here.settings.phrase, changed(paper.settings, here.settings)))}"
    if not (user.model or scale.model):
        yield from (f"{paper} -> {model}" for model, paper in models if model != paper)
    elif written["models"] != [models[0][0]]:
        yield f"{', '.join(written['models'])} -> {models[0][0]}"
    for key in ("seeds", "noise_seeds"):
        at_scale = None if getattr(user, key) else getattr(scale, key)
        counts = dict.fromkeys(written[key])
        yield from (f"{key} {count} -> {at_scale}" for count in counts if at_scale not in (None, count))
    if any(map(is_cut, datasets)):
        multiplied = {name: factor for name, factor in scale.multiply.items() if name in settings}
        for factor in dict.fromkeys(multiplied.values()):
            yield f"{', '.join(name for name, value in multiplied.items() if value == factor)} x {factor:g}"


def check_reached(user: Scale, conditions: Iterable[Condition]) -> None:
    """Raise UserError for a plug-in of --set that no condition has, or a setting of all that none of them has.

    It would have no effect.
    """
    met = list(conditions)
    every = {
        "datasets": [one.dataset for one in met],
        "methods": [one.method for one in met],
        "attacks": [attack for one in met for attack in one.attacks],
        "measures": [one.measure for one in met if one.measure],
    }
    for group, variants in every.items():
        own = [one.choice for one in variants if not one.added]
        names = {choice.name for choice in own}
        added = {one.choice.name for one in variants if one.added} - names
        for name in getattr(user, group):
            if name in added:
                raise UserError(f"--set {group}.{name}: is only a control here; what it is compared with decides on it")
            if name not in (EVERY, *names):
                raise UserError(f"--set {group}.{name}: in no grid of this run{suggestion(name, sorted(names))}")
        fields = {key for choice in own for key in type(choice.settings).model_fields.keys() - choice.settings.idle}
        for key in getattr(user, group).get(EVERY, {}):
            if key not in fields:
                where = f"--set {group}.{EVERY}.{key}"
                raise UserError(f"{where}: no {group} of this run have it{suggestion(key, sorted(fields))}")
