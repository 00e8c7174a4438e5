"""Published values (analysis/reported/reported.csv) and the conditions of a plan that they belong to."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from bench.core.settings import parse_fraction

FILE = Path(__file__).parent / "reported" / "reported.csv"
STACK = " + "
RADIUS = "radius"
CONFIDENCES = ("high", "medium-high", "medium", "low")


@dataclass(frozen=True)
class Published:
    """One number of a paper, as its authors or a later paper print it."""

    accuracy: float
    """On clean test images, a share in [0, 1]."""
    digits: str
    """The same as printed, in percent."""
    source: str
    place: str
    """Table or section of the source."""
    confidence: str
    """How sure the reading is: one of CONFIDENCES."""
    note: str
    """Variant of the method, as far as the source tells."""
    remark: str
    parameters: str
    """Settings of the attack, `key=value` joined by semicolons."""


@lru_cache(maxsize=1)
def published_values() -> dict[tuple[str, str, str, str], list[Published]]:
    """All test accuracies by data set, model, method and stack of attacks; the surest first, then in file order."""
    values: dict[tuple[str, str, str, str], list[Published]] = {}
    with FILE.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if (row["metric"], row["unit"]) == ("test_accuracy", "%"):
                place = (row["dataset"], row["model"], row["method"], row["attack"])
                values.setdefault(place, []).append(_published(row))
    for rows in values.values():
        rows.sort(key=lambda value: CONFIDENCES.index(value.confidence))
    return values


def _published(row: Mapping[str, str]) -> Published:
    return Published(
        accuracy=float(row["value"]) / 100,
        digits=row["value"],
        source=row["source"],
        place=row["source_table"],
        confidence=row["confidence"],
        note=row["method_note"],
        remark=row["remark"],
        parameters=row["attack_params"],
    )


def matching(condition: Mapping[str, Any]) -> list[Published]:
    """The published values of one condition of a plan at the paper's scale, the surest first.

    None if the condition has another data set than the paper: a synthetic image's number stands beside no photograph's.
    """
    paper = condition["paper"]
    if condition["dataset"].partition(" ")[0] != paper["dataset"]:
        return []
    stack = "+".join(attack["name"] for attack in paper["attacks"])
    candidates = published_values().get((paper["dataset"], paper["model"], paper["method"]["name"], stack), [])
    [(_, method_written)] = parse(condition["method"])
    attack_written = {key for _, written in parse(condition["attack"]) for key in written}
    return [
        value
        for value in candidates
        if _same_attack(value.parameters, paper["attacks"], attack_written)
        and _same_method(value.note, paper["method"], set(method_written))
    ]


def _same_attack(parameters: str, attacks: list[Mapping[str, Any]], written: set[str]) -> bool:
    """Every stated parameter is ours, and the grid's own settings and every radius are stated."""
    stated = dict(text.split("=", 1) for text in parameters.split(";") if text)
    required = written | {RADIUS for attack in attacks if RADIUS in attack}
    return required <= set(stated) and all(
        any(key in attack and equal(attack[key], text) for attack in attacks) for key, text in stated.items()
    )


def _same_method(note: str, method: Mapping[str, Any], written: set[str]) -> bool:
    """The method as published: of its settings only the radius may be varied, and then the note must state it."""
    stated = re.search(r"[\d.]+/255", note)
    if stated and RADIUS in method and number(stated[0]) is not None:
        return written <= {RADIUS} and equal(method[RADIUS], stated[0])
    return not written


def parse(label: str) -> list[tuple[str, dict[str, str]]]:
    """Split a label into plug-ins in the order of application: name, and the settings that the grid wrote out."""
    parts = []
    for part in label.split(STACK):
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
