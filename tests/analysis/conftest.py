"""Plans and records made up, so that every number of a report can be computed by hand."""

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

from PIL import Image

from analysis.numbers.estimates import estimate
from analysis.reading.conditions import LABEL, ConditionResult, Words
from analysis.reading.published import Published, parse
from analysis.reading.records import read_results
from analysis.reading.results import Results
from analysis.writing.sections import Table
from bench.core.settings import PROTOCOL, STACKED, digest
from bench.store import Record, Store

TITLES = {
    "random": "random",
    "em": "EM",
    "sem": "SEM",
    "pgd": "PGD",
    "jpeg": "JPEG",
    "early_stopping": "early stopping",
    "partial": "partial poisoning",
    **{f"attack{number}": f"attack {number}" for number in range(9)},
}
ORIGIN = {
    "commit": "cffc4e0b8cd8",
    "device": "cpu",
    "processor": "EPYC",
    "system": "Linux x86_64",
    "precision": "float32",
    "threads": 1,
    "versions": {"python": "3.11.7", "torch": "2.15.0"},
}
TRAIN = {"revision": 1, "steps": 800, "batch_size": 64}
Accuracies = dict[tuple[str, str], list[float | None]]
"""Final accuracies of the seeds by method and attack, None if missing."""


def named(label: str) -> str:
    """The title of a method or a stack of attacks."""
    return STACKED.join(
        " ".join([TITLES.get(name, name), *(_phrase(key, value) for key, value in settings.items())])
        for name, settings in parse(label)
    )


def _phrase(key: str, value: str) -> str:
    return {"radius": value, "only": key}.get(key, f"{key} {value}")


def cell_of(name: str, **others: Any) -> Record:
    """A cell that nobody could run, called `METHOD-ATTACK-SEED`, `METHOD-ATTACK-NOISE.SEED`, `METHOD-SEED` or anything.

    Method and attack are labels of a plan; without an attack there is none. `others` are parts that differ.
    """
    parts = re.fullmatch(r"([^-]+)(?:-(.+?))??(?:-(?:(\d+)\.)?(\d+))?", name)
    assert parts, name
    method, attack, noise, seed = parts.groups()
    (protecting, *_), attacks = (
        [{"name": one, **settings} for one, settings in parse(label or "none")] for label in (method, attack)
    )
    plug_ins = {"dataset": {"name": "d"}, "method": protecting, "attacks": attacks}
    seeds = {"seed": int(seed or 0), "noise_seed": int(noise or 0)}
    return {"protocol": PROTOCOL, **plug_ins, "model": "m", "train": TRAIN, **seeds, **others}


def names_of(method: str, attack: str, runs: int, noises: int = 1) -> list[str]:
    """What the cells of a place are called, those of the first noise first."""
    victims = max(1, runs // max(noises, 1))
    return [
        f"{method}-{attack}-{f'{run // victims}.' if noises > 1 else ''}{run % victims if noises > 1 else run}"
        for run in range(runs)
    ]


def key_of(name: str, **others: Any) -> str:
    return digest(cell_of(name, **others))


def keep(store: Store, name: str, made: Record, **others: Any) -> None:
    """Write a record as that of the cell of this name, with `others` in it."""
    cell = cell_of(name, **others)
    store.write(digest(cell), {"key": digest(cell), "asked": {}, "cell": cell, **made})


def history(**lists: list[Any]) -> Record:
    """One in which only some lists matter."""
    looks = len(next(iter(lists.values())))
    unknown = {name: [0.5] * looks for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy")}
    return {"step": list(range(looks)), **unknown, **lists}


def record(
    accuracy: float,
    *,
    passes: float = 10.0,
    noise: str = "n",
    commit: str = ORIGIN["commit"],
    looks: Mapping[str, list[Any]] = MappingProxyType({}),
) -> Record:
    """One with these looks, of which the last has that accuracy; else with two, of which the first is better."""
    two = {"step": [4, 8], "test_accuracy": [min(1.0, accuracy + 0.1), accuracy], "train_accuracy": [0.5, 0.9]}
    made = history(**(looks or two))
    peak = max(made["test_accuracy"])
    return {
        "status": "finished",
        "result": {
            "final_accuracy": accuracy,
            "peak_accuracy": peak,
            "train_accuracy": made["train_accuracy"][-1],
            "final_loss": made["test_loss"][-1],
            "peak_step": made["step"][made["test_accuracy"].index(peak)],
        },
        "history": made,
        "cost": {"train_passes": passes, "noise_passes": 24000.0},
        "noise": {"key": key_of(noise), "size": {"linf": 8 / 255, "mean_l2": 1.0, "psnr": 31.0}},
        "time": {"noise_seconds": 120.0, "train_seconds": 2 * passes, "ended": "2026-11-22T13:37:35+00:00"},
        "provenance": ORIGIN | {"commit": commit},
    }


def place(method: str, attack: str, seeds: int, **changes: Any) -> Record:
    attacks = [{"name": name, **settings} for name, settings in parse(attack)]
    names = [one["name"] for one in attacks]
    return {
        **{"dataset": "d", "model": "m", "method": method, "attack": attack},
        "control": method in ("clean", "random"),
        "release": "partial" in names,
        "assumes": ["clean images"] if "partial" in names else [],
        "own_controls": [],
        "declined": "",
        "noises": 1,
        "paper": {"dataset": "d", "model": "m", "method": {"name": method}, "attacks": attacks},
        "cells": [key_of(name) for name in names_of(method, attack, seeds, changes.get("noises", 1))],
    } | changes


def at_chance(one: ConditionResult, victim: int = 0) -> ConditionResult:
    """The same, with a victim that never left chance."""
    return replace(one, statuses=[*one.statuses[:victim], "collapsed", *one.statuses[victim + 1 :]])


def condition(
    method: str,
    attack: str,
    runs: list[float],
    *,
    planned: int | None = None,
    failed: int = 0,
    published: Sequence[Published] = (),
) -> ConditionResult:
    """One of which no record is written."""
    accuracy, missing = estimate(runs), (planned or len(runs)) - len(runs)
    lacking = ["failed"] * failed + ["missing"] * (missing - failed)
    made = place(method, attack, planned or len(runs))
    return ConditionResult(
        label={part: made[part] for part in LABEL},
        method=Words(named(method)),
        attack=Words(named(attack)),
        own_controls=[],
        accuracies=[*runs, *[None] * missing],
        statuses=["finished"] * len(runs) + lacking,
        estimates={"final_accuracy": accuracy, "peak_accuracy": accuracy},
        published=list(published),
        **{name: made[name] for name in ("control", "release", "assumes", "paper")},
    )


def of_noises(noises: int, method: str, attack: str, values: list[float]) -> ConditionResult:
    """The same over several noises, the victims of the first one first."""
    return replace(condition(method, attack, values), noises=noises)


def plan_of(places: list[Record], **changes: Any) -> Record:
    labels = [one[part] for one in places for part in ("method", "attack")]
    return {
        "grid": "g",
        "title": "t",
        "about": "",
        "scale": {"name": "small", "about": "", "changes": {}},
        "set": {},
        "titles": {label: {"title": named(label), "paper": named(label), "hint": ""} for label in labels},
        "conditions": places,
    } | changes


def results_of(
    folder: Path,
    accuracies: Accuracies,
    without: tuple[str, ...] = (),
    own_controls: Mapping[tuple[str, str], list[Record]] = MappingProxyType({}),
    noises: Mapping[Any, int] = MappingProxyType({}),
    **histories: Record,
) -> Results:
    """The results of a plan called g-small; `noises` by method or place, `histories` of early stopping by method."""
    store = Store(folder)
    places = [
        place(
            *pair, len(runs), own_controls=own_controls.get(pair, []), noises=noises.get(pair, noises.get(pair[0], 1))
        )
        for pair, runs in accuracies.items()
    ]
    plan = plan_of(places)
    store.write_plan("g-small", plan)
    for one, runs in zip(places, accuracies.values(), strict=True):
        names = names_of(one["method"], one["attack"], len(runs), one["noises"])
        for called, accuracy in zip(names, runs, strict=True):
            if accuracy is not None:
                looks = histories.get(one["method"], {}) if "early" in one["attack"] else {}
                made = record(accuracy, passes=110.0 if "pgd" in one["attack"] else 10.0, looks=looks)
                keep(store, called, made)
    return read_results("g-small", plan, store, without)


def texts(table: Table) -> list[list[str]]:
    """All entries as text, the headings first."""
    return [[entry.text for entry in entries] for entries in (table.head, *(row.entries for row in table.rows))]


def rasters(svg: str) -> list[Image.Image]:
    """The images in a drawing, in order, RGBA; matplotlib stores them upside down."""
    found = re.findall(r"data:image/png;base64,([^\"]*)", svg)
    return [Image.open(BytesIO(b64decode(one))).convert("RGBA") for one in found]


def markdown_of(folder: Path, plan: str = "g-small") -> str:
    """What the report says of a plan in Markdown, with single spaces in its tables."""
    return re.sub(" +", " ", (folder / "report" / f"{plan}.md").read_text())
