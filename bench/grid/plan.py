"""Plans: which cells a grid asks for, and how tables call them, so that a report needs neither grids nor plug-ins."""

from typing import Any

from bench.core.settings import PROTOCOL, STACKED, digest
from bench.grid.condition import Condition, Stack
from bench.grid.expand import Grid
from bench.grid.scale import Scale

Plan = dict[str, Any]


def plan_name(grid: Grid, scale: str, user: Scale) -> str:
    """What the plan of `grid` is called: a user's own settings have plans of their own."""
    changed = user.changes()
    return f"{grid.name}-{scale}" + (f"-{digest(changed)[:6]}" if changed else "")


def plan_of(grid: Grid, file: str, name: str, scale: Scale, user: Scale) -> Plan:
    """What the report needs of a grid at the scale called `name`, as the `user` changed it: its places and their cells.

    `file` tells it from another grid of its name.

    `titles` has the words for each label of a method or of a stack: here, at paper scale, and what the paper has
    instead of the settings shown.
    """
    stacks = [stack for condition in grid.conditions for stack in ((condition.method,), condition.attacks) if stack]
    measured = [condition for condition in grid.conditions if condition.measure]
    return {
        "protocol": PROTOCOL,
        "grid": grid.name,
        "file": file,
        "title": grid.title,
        "about": grid.about,
        "scale": {"name": name, "about": scale.about, "changes": scale.changes(), "replaced": list(grid.replaced)},
        "set": user.changes(),
        "titles": {STACKED.join(variant.label for variant in stack): _titles(stack) for stack in stacks},
        "conditions": [_condition(condition) for condition in grid.conditions if not condition.measure],
        **({"measures": [_measured(condition) for condition in measured]} if measured else {}),
    }


def _measured(condition: Condition) -> Plan:
    """What is measured of a method: its labels, the titles of the numbers, and a cell for each noise."""
    assert condition.measure is not None
    measure = condition.measure
    return {
        "dataset": condition.dataset.label,
        "model": condition.model,
        "method": condition.method.label,
        "measure": measure.choice.name,
        "title": measure.title,
        "numbers": dict(measure.choice.settings.numbers),
        "settings": measure.choice.canonical(),
        "written": measure.written,
        "control": condition.is_control,
        "cells": [cell.key for cell in condition.cells],
        "declined": condition.declined,
    }


def _unlike_labels(condition: Condition) -> Plan:
    """In what cells are not what labels say: attacks that spare clean images, settings that content replaced."""
    if not condition.cells:
        return {}
    first = condition.cells[0]
    cell, all_act = first.canonical(), first.attacks == tuple(attack.choice for attack in condition.attacks)
    pairs = [(condition.dataset, cell["dataset"]), (condition.method, cell["method"])]
    pairs += zip(condition.attacks, cell["attacks"], strict=True) if all_act else []
    shown = [(variant.choice.settings.model_dump(mode="json"), variant.shown, one) for variant, one in pairs]
    replaced = {key for own, keys, one in shown for key in keys if key in one and one[key] != own[key]}
    spared = {} if all_act or condition.is_release else {"spared": True}
    return spared | ({"replaced": sorted(replaced)} if replaced else {})


def _titles(stack: Stack) -> dict[str, str]:
    return {
        "title": STACKED.join(variant.title for variant in stack),
        "paper": STACKED.join(variant.paper_title for variant in stack),
        "hint": ", ".join(variant.hint for variant in stack if variant.hint),
    }


def _condition(condition: Condition) -> Plan:
    """One place of a table: its labels, its paper-scale counterpart (to compare with published values), its cells."""
    return {
        "dataset": condition.dataset.label,
        "model": condition.model,
        "method": condition.method.label,
        "attack": condition.attack_label,
        "control": condition.is_control,
        "release": condition.is_release,
        "assumes": condition.assumes,
        "paper": {
            "dataset": condition.dataset.paper.name,
            "model": condition.paper_model,
            "method": condition.method.paper.canonical(),
            "attacks": [attack.paper.canonical() for attack in condition.attacks],
        },
        "cells": [cell.key for cell in condition.cells],
        "noises": condition.noises,
        **_unlike_labels(condition),
        "declined": condition.declined,
        "own_controls": [{"method": one.method.label, "attack": one.attack_label} for one in condition.own_controls],
    }
