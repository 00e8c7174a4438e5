"""Published values (analysis/reported/reported.csv) and the conditions of a plan that they belong to."""

import csv
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from bench.core.settings import STACKED, parse_fraction

FILE = Path(__file__).parents[1] / "reported" / "reported.csv"
REM_RECIPE = {
    "steps": 40_000,
    "batch_size": 128,
    "lr": 0.1,
    "schedule": "steps",
    "decay_at": [0.4, 0.8],
    "momentum": 0.9,
    "weight_decay": 5e-4,
}
"""The victim of the recipe `rem`, as the scripts of REM and SEM have it and our cells at the paper's scale."""
CONFIDENCES = ("high", "medium-high", "medium", "low")
FIXED: Mapping[str, Mapping[str, str]] = {"sc": {"norm": "rms"}, "ops": {"norm": "l0", "pixels": "1"}}
"""What is fixed by the name of a method of ours, so that no setting says it."""
TELLING = ("norm", "radius", "pixels", "kernel", "surrogate")
"""Columns that tell one point of a method from another."""
SAME_IMAGES = {"path", "skip_broken"}
"""Settings of a data set that change nothing of what a published value says of it."""
COLUMNS = {
    "radius": "radius",
    "l2_radius": "radius",
    "kernel_size": "kernel",
    "blur": "kernel",
    "same_kernel": "kernel",
    "kernel": "surrogate",
    "time": "surrogate",
    "surrogate": "surrogate",
}
"""Settings of methods that a published value tells, by column; nothing is published of others that a grid writes."""


class Published(BaseModel):
    """One number of a paper, as its authors or a later paper print it: a row of the file, whose columns are these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table_id: str
    dataset: str
    model: str
    method: str
    """As the source calls it."""
    method_note: str
    variant: str
    """The method of ours that it is; a name that is not ours if it is another algorithm; empty if nobody tells."""
    norm: Literal["", "linf", "l2", "rms", "l0"]
    radius: str
    """In the norm's unit on [0, 1] images; `rms` is an image's root mean square."""
    pixels: str
    """How many a method sets that changes single pixels."""
    kernel: str
    """Of a convolution: size, upper end of its draws, and what shares one."""
    surrogate: str
    """The network that the noise is made with; an infinitely wide one with its time of training."""
    attack: str
    """A stack, `a+b`, by our names."""
    attack_params: str
    """Settings of the attack, `key=value` joined by semicolons."""
    recipe: str
    """How the victim is trained: the name of the work whose recipe it is."""
    metric: str
    value: str
    """As printed, in percent if the metric is an accuracy."""
    unit: str
    source: str
    """The laboratory's short name up to the comma, then the publication."""
    source_table: str
    """Table or section of the source."""
    own: Literal["", "yes"]
    """Whether the variant is the laboratory's own."""
    confidence: Literal["high", "medium-high", "medium", "low"]
    """How sure the reading is."""
    remark: str

    @property
    def accuracy(self) -> float:
        """On clean test images, a share in [0, 1]."""
        return float(self.value) / 100

    @property
    def laboratory(self) -> str:
        """Who measured it."""
        return self.source.partition(",")[0]


@lru_cache(maxsize=1)
def published_values() -> dict[tuple[str, str, str, str], list[Published]]:
    """All test accuracies by data set, model, variant and stack of attacks: a method's own authors first.

    Then the surest reading, then in file order.
    """
    values: dict[tuple[str, str, str, str], list[Published]] = {}
    with FILE.open(newline="", encoding="utf-8") as stream:
        for row in map(Published.model_validate, csv.DictReader(stream)):
            if (row.metric, row.unit) == ("test_accuracy", "%"):
                values.setdefault((row.dataset, row.model, row.variant, row.attack), []).append(row)
    for rows in values.values():
        rows.sort(key=lambda row: (not row.own, CONFIDENCES.index(row.confidence)))
    return values


def clean_accuracies(model: str) -> Iterator[str]:
    """What is published of the network on clean CIFAR-10, plain or adversarial training, a line each."""
    for (dataset, network, variant, attack), rows in published_values().items():
        if (dataset, network, variant) == ("cifar10", model, "clean") and attack in ("none", "pgd"):
            for row in rows:
                training = "plain training" if attack == "none" else f"PGD, {row.attack_params}"
                remark = f"; {row.remark}" if row.remark else ""
                yield f"{row.value} % on clean CIFAR-10, {training} ({row.source}; {row.source_table}{remark})"


def matching(condition: Mapping[str, Any]) -> list[Published]:
    """The published values of one condition of a plan at the paper's scale, the method's own authors' first.

    Empty if the condition has another data set than the paper, or other images of it than a scale of the suite makes: a
    number of synthetic, smaller or fewer images stands beside none of photographs.
    """
    paper = condition["paper"]
    name, written = parse(condition["dataset"])[0]
    if name != paper["dataset"] or written.keys() - SAME_IMAGES:
        return []
    stack = "+".join(attack["name"] for attack in paper["attacks"])
    candidates = published_values().get((paper["dataset"], paper["model"], paper["method"]["name"], stack), [])
    _, method_written = parse(condition["method"])[0]
    attack_written = {key for _, written in parse(condition["attack"]) for key in written}
    return [
        value
        for value in candidates
        if _same_attack(value.attack_params, paper["attacks"], attack_written)
        and _same_method(value, paper["method"], set(method_written))
    ]


def _same_attack(parameters: str, attacks: list[Mapping[str, Any]], written: set[str]) -> bool:
    """Every stated parameter is ours, and the grid's own settings and every radius are stated."""
    stated = dict(text.split("=", 1) for text in parameters.split(";") if text)
    required = written | {key for attack in attacks for key in ("radius", "l2_radius") if key in attack}
    return required <= set(stated) and all(
        any(key in attack and equal(attack[key], text) for attack in attacks) for key, text in stated.items()
    )


def _same_method(value: Published, method: Mapping[str, Any], written: set[str]) -> bool:
    """Whether a value says all that makes the method what it is, and the same; a network need not be named."""
    said = {column: text for column in TELLING if (text := getattr(value, column))}
    wanted = _wanted(method)
    needed = {column for column in wanted if column != "surrogate" or "surrogate" not in method}
    needed |= {COLUMNS.get(key, key) for key in written}
    return needed <= set(said) and all(column in wanted and equal(wanted[column], said[column]) for column in said)


def _wanted(method: Mapping[str, Any]) -> dict[str, str]:
    """A method of ours as the columns of a published value say it."""
    wanted: dict[str, str] = {}
    for key, norm in (("radius", "linf"), ("l2_radius", "l2")):
        if key in method:
            wanted |= {"norm": norm, "radius": str(method[key])}
    if "kernel_size" in method:
        size, shared = method["kernel_size"], "one for all classes" if method["same_kernel"] else "class-wise"
        wanted["kernel"] = f"{size}x{size}, p_b {method['blur']}, {shared}"
    if "time" in method:
        time = number(str(method["time"]))
        wanted["surrogate"] = f"{method['kernel']}, t={'inf' if time is None else format(time, 'g')}"
    if "surrogate" in method:
        wanted["surrogate"] = method["surrogate"]
    return {**wanted, **FIXED.get(method["name"], {})}


def parse(label: str) -> list[tuple[str, dict[str, str]]]:
    """Split a label into plug-ins in the order of application: name, and the settings that the grid wrote out."""
    parts = []
    for part in label.split(STACKED):
        name, *settings = re.split(r" (?=\w+=)", part)
        parts.append((name, {key: value for key, _, value in (text.partition("=") for text in settings)}))
    return parts


def equal(ours: Any, text: str) -> bool:
    """Whether a setting has the value written as `text`; numbers and fractions are compared as numbers."""
    left, right = number(str(ours)), number(text)
    if left is None or right is None:
        return str(ours).lower() == text.lower()
    return abs(left - right) <= 1e-9 * max(abs(left), abs(right))


def number(text: str) -> float | None:
    """Read `0.5` or `8/255`; None if the text is no number."""
    try:
        return float(parse_fraction(text))
    except ValueError:
        return None
