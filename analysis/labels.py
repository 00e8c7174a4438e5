"""Labels of a plan as people read them: `pgd radius=4/255` becomes `PGD 4/255`; a plan holds the titles of plug-ins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.published import RADIUS, STACK, equal, parse

BARE = {RADIUS, "l2_radius"}
"""Settings that are written without their name."""
Titles = Mapping[str, str]
"""How people call the plug-ins, by their names."""


@dataclass(frozen=True)
class Words:
    """How people call a method or a stack of attacks."""

    title: str
    """At the scale of the plan."""
    paper: str = ""
    """At the paper's scale, every radius included."""
    hint: str = ""
    """What the paper has instead of the settings in the title, or nothing if it has the same."""


def words_of(label: str, titles: Titles, plugins: Sequence[Mapping[str, Any]] | None = None) -> Words:
    """The words for a label; `plugins` holds the paper-scale settings of each plug-in of the stack."""
    if plugins is None:
        return Words(title(label, titles))
    return Words(title(label, titles), paper_title(label, plugins, titles), paper_hint(label, plugins))


def title(label: str, titles: Titles) -> str:
    """A heading: plug-ins by their titles, settings in words, a radius without its name."""
    return STACK.join(_named(titles[name], written) for name, written in parse(label))


def paper_hint(label: str, plugins: Sequence[Mapping[str, Any]]) -> str:
    """What the paper has instead of the settings in `label`, or nothing where it has the same.

    `plugins` holds the paper-scale settings of each plug-in of the stack.
    """
    different = []
    for (_, written), paper in zip(parse(label), plugins, strict=True):
        values = {key: str(paper[key]) for key, value in written.items() if not equal(paper.get(key), value)}
        different += _settings(values)
    return ", ".join(different)


def paper_title(label: str, plugins: Sequence[Mapping[str, Any]], titles: Titles) -> str:
    """The heading that `label` has at the paper's scale, every radius included."""
    parts = []
    for (name, written), paper in zip(parse(label), plugins, strict=True):
        keys = dict.fromkeys([*written, *([RADIUS] if RADIUS in paper else [])])
        parts.append(_named(titles[name], {key: str(paper.get(key, "")) for key in keys}))
    return STACK.join(parts)


def _named(plugin: str, written: Mapping[str, str]) -> str:
    return f"{plugin} {', '.join(_settings(written))}".rstrip()


def _settings(written: Mapping[str, str]) -> list[str]:
    return [_phrase(key, value) for key, value in written.items()]


def _phrase(key: str, value: str) -> str:
    """A setting in words: `4/255`, `protected 0.8`, `clean part only`, `no early stop`."""
    name = key.replace("_", " ")
    switch = {"True": name, "False": f"no {name}"}
    return value if key in BARE else switch.get(value, f"{name} {value}")
