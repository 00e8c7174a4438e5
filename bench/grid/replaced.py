"""What a scale replaces of what a grid file says, and what --set reaches of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

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
    counts: Mapping[str, Sequence[int]],
    datasets: Sequence[Variant],
    models: Sequence[tuple[str, str]],
) -> Iterator[str]:
    """In words, what the scale changed: `resnet18 -> cnn`.

    `counts` has all numbers of seeds that a file writes under a key. Each of `models` is the one in use and the one on
    paper.
    """
    for dataset in datasets:
        here, paper = dataset.choice, dataset.paper
        if here.name != paper.name:
            yield f"{paper.name} -> {here.name}"
        elif here != paper:
            yield f"{here.name}: {', '.join(map(here.settings.phrase, changed(paper.settings, here.settings)))}"
    yield from (f"{paper} -> {model}" for model, paper in models if model != paper)
    for key, written in counts.items():
        at_scale = None if getattr(user, key) else getattr(scale, key)
        yield from (f"{key} {count} -> {at_scale}" for count in dict.fromkeys(written) if at_scale not in (None, count))
    if any(map(is_cut, datasets)):
        for factor in dict.fromkeys(scale.multiply.values()):
            names = [name for name, value in scale.multiply.items() if value == factor]
            yield f"{', '.join(names)} x {factor:g}"


def check_reached(user: Scale, conditions: Iterable[Condition]) -> None:
    """Raise UserError for a plug-in of --set that no condition has: it would have no effect."""
    met = list(conditions)
    every = {
        "datasets": [one.dataset for one in met],
        "methods": [one.method for one in met],
        "attacks": [attack for one in met for attack in one.attacks],
        "measures": [one.measure for one in met if one.measure],
    }
    for group, variants in every.items():
        names = {one.choice.name for one in variants if not one.added}
        added = {one.choice.name for one in variants if one.added} - names
        for name in getattr(user, group):
            if name in added:
                raise UserError(f"--set {group}.{name}: is only a control here; what it is compared with decides on it")
            if name not in (EVERY, *names):
                raise UserError(f"--set {group}.{name}: in no grid of this run{suggestion(name, sorted(names))}")
