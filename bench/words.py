"""Words that several rooms print: times, and commands to type next."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

RESULTS = Path("results")
"""Where `--results` is unless a user says."""


CARD = 120
"""Characters in a line of a card."""

TableFormat = Literal["markdown", "latex", "csv", "html"]
"""How a table may be printed."""
ChangeFormat = Literal["table", "markdown", "csv"]
"""How it may be printed what changed between two results folders."""


def command(words: str, results: Path) -> str:
    """A command of ours as a user may type it now: on the results folder in use."""
    return f"python -m bench {words}" + ("" if results == RESULTS else f" --results {shlex.quote(str(results))}")


def duration(seconds: float) -> str:
    """A time as people say it, in the largest unit that fits."""
    for unit, length in (("days", 86400), ("hours", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.0f} s"


SCIENTIFIC_FROM = 1e9
"""From which on a number is written with a power of ten."""


def told(number: float) -> str:
    """A number of no unit that all know, so that its size is seen: `0.049`, `34.5`, `1,267`, `8.00e+20`."""
    if abs(number) >= SCIENTIFIC_FROM:
        return f"{number:.2e}"
    return f"{number:.3g}" if abs(number) < 10 else f"{number:,.1f}" if abs(number) < 100 else f"{number:,.0f}"


def counted(number: int, word: str) -> str:
    """So many of something: `1 cell`, `2 cells`."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def short(plug_in: Mapping[str, Any]) -> str:
    """A plug-in of a record by its name, with its radius if it has one."""
    return f"{plug_in['name']} {plug_in['radius']}" if plug_in.get("radius") else str(plug_in["name"])


def flat(settings: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Nested settings as dotted assignments, the way --set takes them: `train.steps=800`."""
    lines: list[str] = []
    for key, value in settings.items():
        if isinstance(value, Mapping):
            lines += flat(value, f"{prefix}{key}.")
        else:
            lines.append(f"{prefix}{key}={value:g}" if isinstance(value, float) else f"{prefix}{key}={value}")
    return lines
