"""The controls of a grid: what every result is read against, added if a grid file does not write it itself."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.core.errors import asked
from bench.core.protocols import Attack, Method
from bench.core.settings import STACKED, ImageShape, Settings
from bench.grid.cell import Choice
from bench.grid.condition import CONTROL, Pair, Stack, Variant
from bench.grid.stack import objection

CLEAN = "clean"
RANDOM = {"linf": "random", "l2": "random_l2"}
"""Random noise with a budget in each norm."""
L2_DIGITS = 4
"""Decimals of an l2 radius, so that the same budget computed in two ways is one control."""

ALWAYS_WRITTEN = {"l2_radius"}
"""Settings whose default a reader cannot be expected to know."""

Methods = Mapping[str, type[Method]]
Attacks = Mapping[str, type[Attack]]


def controls_of(
    pairs: Sequence[Pair], shape: ImageShape, paper_shape: ImageShape, methods: Methods, attacks: Attacks
) -> list[Pair]:
    """What `pairs` lack: every stack on clean images and on random noise of the budgets it meets, and its controls.

    The shapes are those of the images at the scale and on paper: some budgets depend on them.
    """
    clean = _method_variant(methods, CLEAN, {}, {})
    wanted = [(clean, stack) for _, stack in pairs]
    for method, stack in pairs:
        with asked(f"random noise of the budget of {method.label}"):
            wanted += [(noise, stack) for noise in _random(method, shape, paper_shape, methods)]
    for method, stack in pairs:
        wanted += own_controls((clean, stack), methods, attacks) + own_controls((method, stack), methods, attacks)
    known = {identity(pair) for pair in pairs}
    new: dict[Any, Pair] = {}
    for pair in wanted:
        if identity(pair) not in known:
            new.setdefault(identity(pair), pair)
    return list(new.values())


def own_controls(pair: Pair, methods: Methods, attacks: Attacks) -> list[Pair]:
    """The controls that its attacks name, on what its method releases, or on clean images if they use no others.

    Each has one attack of the stack replaced; if no stack that means anything is left, there is no control.
    """
    method, stack = pair
    clean = _method_variant(methods, CLEAN, {}, {})
    found = []
    for position, attack in enumerate(stack):
        with asked(f"the controls of {attack.label}"):
            for here, paper in zip(attack.choice.settings.controls(), attack.paper.settings.controls(), strict=True):
                control = _attack_variant(attack, here, paper, attacks)
                other = (*stack[:position], control, *stack[position + 1 :])
                if objection([variant.choice for variant in other]) is None:
                    found.append((clean if here.only_clean else method, other))
    return found


def controls_first(pairs: Sequence[Pair]) -> list[Pair]:
    """Clean images, then random noise, then what protects."""
    return sorted(pairs, key=lambda pair: (pair[0].choice.settings.source != CONTROL, pair[0].choice.name != CLEAN))


def acting(stack: Stack, method: Variant, none: Choice[Attack]) -> list[Choice[Attack]]:
    """The attacks of a stack that do anything to what the method releases; `none` if there are none."""
    choices = [attack.choice for attack in stack]
    if method.choice.name == CLEAN:
        with asked(f"whether {STACKED.join(choice.name for choice in choices)} spares clean images"):
            choices = [choice for choice in choices if not choice.settings.spares_clean]
    return choices or [none]


def identity(pair: Pair) -> tuple[Choice[Any], ...]:
    """What decides the cells of a pair."""
    method, stack = pair
    return method.choice, *(attack.choice for attack in stack)


def _random(method: Variant, shape: ImageShape, paper_shape: ImageShape, methods: Methods) -> Iterator[Variant]:
    """Random noise of the budget of a method, and for a class-wise one the same noise for a whole class as well."""
    at_scale, on_paper = (
        _budget(settings, size)
        for settings, size in ((method.choice.settings, shape), (method.paper.settings, paper_shape))
    )
    if not at_scale or not on_paper:
        return
    name = RANDOM[method.choice.settings.norm]
    yield _method_variant(methods, name, at_scale, on_paper)
    if method.choice.settings.class_wise and "wise" in methods[name].model_fields:
        yield _method_variant(methods, name, {**at_scale, "wise": "class"}, {**on_paper, "wise": "class"})


def _budget(method: Method, shape: ImageShape) -> dict[str, Any]:
    """The budget of a method as settings of random noise; empty if it promises none, or makes no noise."""
    budget = method.budget(shape)
    if method.norm == "linf":
        return {"radius": budget} if method.bound(shape) else {}
    return {"l2_radius": round(budget, L2_DIGITS)} if method.norm == "l2" else {}


def _attack_variant(attack: Variant, here: Attack, paper: Attack, attacks: Attacks) -> Variant:
    """A control that `attack` names; tables show what it changes, of another plug-in what is not the default."""
    same = type(here) is type(attack.choice.settings)
    [name] = [name for name, kind in attacks.items() if kind is type(here)]
    shown, usual = (attack.shown, attack.choice.settings) if same else ((), type(here)())
    shown = tuple(dict.fromkeys([*shown, *changed(usual, here)]))
    return Variant(Choice(name, here), Choice(name, paper), shown, added=not same)


def _method_variant(methods: Methods, name: str, at_scale: Mapping[str, Any], on_paper: Mapping[str, Any]) -> Variant:
    """A control among the methods; tables show what is not the default on paper."""
    here, paper = (methods[name].model_validate(values) for values in (at_scale, on_paper))
    unusual = changed(methods[name](), paper)
    shown = tuple(key for key in type(paper).model_fields if key in unusual or key in ALWAYS_WRITTEN)
    return Variant(Choice(name, here), Choice(name, paper), shown, added=True)


def changed(before: Settings, after: Settings) -> tuple[str, ...]:
    """The names of the settings that differ."""
    old, new = before.model_dump(), after.model_dump()
    return tuple(key for key, value in new.items() if value != old[key])
