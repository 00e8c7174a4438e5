"""Labels of a plan as people read them: `pgd radius=4/255` becomes `PGD 4/255`; a plan holds the titles of plug-ins."""

import re
from collections.abc import Mapping
from typing import Any

STACK = " + "
RADIUS = "radius"
BARE = {RADIUS, "l2_radius"}
"""Settings that are written without their name."""
Titles = Mapping[str, str]
"""How people call the plug-ins, by their names."""


def parse(label: str) -> list[tuple[str, dict[str, str]]]:
    """Split a label into plug-ins in the order of application: name, and the settings that the grid wrote out."""
    parts = []
    for part in label.split(STACK):
        name, *settings = re.split(r" (?=\w+=)", part)
        parts.append((name, {key: value for key, _, value in (text.partition("=") for text in settings)}))
    return parts


def title(label: str, titles: Titles) -> str:
    """A heading: plug-ins by their titles, settings in words, a radius without its name."""
    return STACK.join(_named(titles[name], written) for name, written in parse(label))


def paper_hint(label: str, plugins: list[Mapping[str, Any]]) -> str:
    """What the paper has instead of the settings in `label`, or nothing where it has the same.

    `plugins` holds the paper-scale settings of each plug-in of the stack.
    """
    different = []
    for (_, written), paper in zip(parse(label), plugins, strict=True):
        values = {key: str(paper[key]) for key, value in written.items() if not equal(paper.get(key), value)}
        different += _settings(values)
    return ", ".join(different)


def paper_title(label: str, plugins: list[Mapping[str, Any]], titles: Titles) -> str:
    """The heading that `label` has at the paper's scale, every radius included."""
    parts = []
    for (name, written), paper in zip(parse(label), plugins, strict=True):
        keys = dict.fromkeys([*written, *([RADIUS] if RADIUS in paper else [])])
        parts.append(_named(titles[name], {key: str(paper.get(key, "")) for key in keys}))
    return STACK.join(parts)


def equal(ours: Any, text: str) -> bool:
    """Whether a setting has the value written as `text`; numbers and fractions are compared as numbers."""
    left, right = number(str(ours)), number(text)
    if left is None or right is None:
        return str(ours).lower() == text.lower()
    return abs(left - right) <= 1e-9 * max(abs(left), abs(right))


def number(text: str) -> float | None:
    """Read `0.5` or `8/255`; None where the text is no number."""
    numerator, slash, denominator = text.partition("/")
    try:
        return float(numerator) / float(denominator) if slash else float(numerator)
    except (ValueError, ZeroDivisionError):
        return None


def flat(settings: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Nested settings as dotted assignments, the way --set takes them: `train.steps=800`."""
    lines: list[str] = []
    for key, value in settings.items():
        if isinstance(value, Mapping):
            lines += flat(value, f"{prefix}{key}.")
        else:
            lines.append(f"{prefix}{key}={value:g}" if isinstance(value, float) else f"{prefix}{key}={value}")
    return lines


def grouped(settings: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Nested settings in few lines, one for each mapping: `train: steps=800, batch_size=64`."""
    here = {key: value for key, value in settings.items() if not isinstance(value, Mapping)}
    lines = [f"{prefix}: {', '.join(flat(here))}" if prefix else line for line in flat(here)[: 1 if prefix else None]]
    for key, value in settings.items():
        if isinstance(value, Mapping):
            lines += grouped(value, f"{prefix}.{key}" if prefix else key)
    return lines


def _named(plugin: str, written: Mapping[str, str]) -> str:
    return f"{plugin} {', '.join(_settings(written))}".rstrip()


def _settings(written: Mapping[str, str]) -> list[str]:
    return [_phrase(key, value) for key, value in written.items()]


def _phrase(key: str, value: str) -> str:
    """A setting in words: `4/255`, `protected 0.8`, `clean part only`, `no early stop`."""
    name = key.replace("_", " ")
    switch = {"True": name, "False": f"no {name}"}
    return value if key in BARE else switch.get(value, f"{name} {value}")
