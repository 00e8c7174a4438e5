"""The records behind the numbers of a page, small enough to be part of it: what they share is written once."""

import json
import shlex
import zlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from analysis.reading.conditions import LABEL
from analysis.reading.results import Results
from bench.core.errors import one_line
from bench.store import Record
from bench.words import RESULTS, command, flat

AGAIN = "--results again"
"""A folder of its own, because a run keeps what is finished."""
KEY = "KEY"
"""What stands for the key of a cell in a command."""
SHARED = ("dataset", "method", "attacks", "train", "measure", "noise", "provenance", "step", "run", "filters")
"""Fields whose values are written once, as their place in `parts`."""


class Opened:
    """The cells of all plans, each once, and what a page needs to show them."""

    def __init__(self, results: Sequence[Results]) -> None:
        root = Path(one_line(str(results[0].root))) if results else RESULTS  # a folder's name may be no text
        self._whole = command(f"show {KEY} --json", root)
        self._places: dict[str, int] = {}
        self._cells: list[Record] = []
        records = {record["key"]: record for one in results for record in one.all_records}
        places = [place for one in results for place in _places(one)]
        for keys, commands in sorted(places, key=lambda place: -len(place[0])):  # so that most have a run of numbers
            for key in keys:
                if key in records and key not in self._places:
                    self._places[key] = len(self._cells)
                    self._cells.append(_facts(records[key]) | commands)

    def places(self, keys: Iterable[str]) -> str:
        """Where the records of these cells stand, as a page writes it: `12-14 20`; those that are missing are not."""
        found = [self._places[key] for key in keys if key in self._places]
        runs = groupby(enumerate(found), lambda one: one[1] - one[0])
        return " ".join(_run([place for _, place in run]) for _, run in runs)

    def packed(self) -> str:
        """What `to_json` says, as a page holds it: deflated, a fifth of the characters, and those of base64."""
        return b64encode(zlib.compress(self.to_json().encode(), 9)).decode()

    def to_json(self) -> str:
        """As text: `fields`, `parts`, and `cells`, each a list of the values of the fields."""
        fields = list(dict.fromkeys(name for cell in self._cells for name in cell))
        parts: dict[str, int] = {}
        cells = [[_shared(name, cell.get(name), parts) for name in fields] for cell in self._cells]
        said = {
            "fields": fields,
            "shared": SHARED,
            "parts": list(map(json.loads, parts)),
            "cells": cells,
            "again": AGAIN,
            "whole": self._whole,
        }
        return _dumped(said)


def _run(places: Sequence[int]) -> str:
    return str(places[0]) if len(places) == 1 else f"{places[0]}-{places[-1]}"


def _shared(name: str, value: Any, parts: dict[str, int]) -> Any:
    if name not in SHARED or value is None:
        return value
    return parts.setdefault(_dumped(value), len(parts))


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _facts(record: Record) -> Record:
    """What is shown of a record."""
    cell = record["cell"]
    shown: Record = {name: _assigned(cell.get(name)) for name in ("dataset", "method", "train", "measure")}
    shown |= {"attacks": list(map(_assigned, cell.get("attacks", [])))}
    shown |= {name: cell.get(name) for name in ("model", "seed", "noise_seed")}
    return {
        "key": record["key"],
        "status": record["status"],
        "error": record.get("error"),
        **shown,
        **_results(record),
        "provenance": dict(line.split("=", 1) for line in flat(record["provenance"])),
        "ended": record["time"]["ended"][:16].replace("T", " "),
        "notes": _assigned(record.get("notes") or None),
    }


def _results(record: Record) -> Record:
    """Numbers of a finished record: the curve of a victim, or all that a measure found."""
    if record["status"] != "finished":
        return {}
    size = {name: value for name, value in record["noise"]["size"].items() if value is not None}
    spent = record["cost"] | record["time"]
    costs = {name: round(value, 1) for name, value in spent.items() if isinstance(value, int | float)}
    if "history" not in record:
        found = {name: value for name, value in record["result"].items() if isinstance(value, int | float)}
        return {"found": found, "noise": size, "cost": costs}
    history = record["history"]
    return {
        "final": record["result"]["final_accuracy"],
        "peak": record["result"]["peak_accuracy"],
        "trained": record["result"]["train_accuracy"],
        "step": history["step"],
        "test": [round(value, 3) for value in history["test_accuracy"]],
        "seen": [round(value, 3) for value in history["train_accuracy"]],
        "noise": {"key": record["noise"]["key"]} | size,
        "cost": costs,
    }


def _assigned(settings: Mapping[str, Any] | None) -> str | None:
    """Settings in a line, the name first: `sem radius=16/255 steps=10`."""
    if settings is None:
        return None
    lines = flat({key: value for key, value in settings.items() if key not in ("name", "revision")})
    return " ".join([*([settings["name"]] if "name" in settings else []), *lines])


def _places(results: Results) -> Iterable[tuple[Sequence[str], Record]]:
    """Of each place its cells and the command that makes them again, in two parts that many share, without seeds."""
    plan = results.plan
    several = [part for part in LABEL[:2] if len({place[part] for place in plan["conditions"]}) > 1]
    words = [shlex.quote(plan["file"] if "file" in plan else plan["grid"]), "--scale", plan["scale"]["name"]]
    words += [word for one in flat(plan["set"]) for word in ("--set", shlex.quote(one))]
    run = command(f"run {' '.join(words)}", RESULTS)
    for place in [*plan["conditions"], *plan.get("measures", [])]:
        what = "measure" if "measure" in place else "attack"
        picked = {part: place[part] for part in (*several, "method", what)}
        filters = " ".join(f"--only {shlex.quote(f'{part}={label}')}" for part, label in picked.items())
        several_noises = place.get("noises", len(place["cells"])) > 1
        yield place["cells"], {"run": run, "filters": filters, "noises": several_noises}
