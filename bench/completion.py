"""What a shell offers after the Tab key, from files alone: it must answer at once, so no plug-in is imported."""

import json
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import typer

from bench.grid.library import SCALES, SHIPPED, named_grids
from bench.grid.yaml_file import read_mapping
from bench.store import Store
from bench.words import RESULTS


def grids(incomplete: str) -> list[str]:
    """Grids that go by name; without any the shell offers files."""
    return _beginning(incomplete, named_grids())


def scales(incomplete: str) -> list[str]:
    """Scales of the suite."""
    return _beginning(incomplete, read_mapping(SHIPPED / SCALES))


def plans(context: typer.Context, incomplete: str) -> list[str]:
    """Plans of the results folders in use."""
    stores = [Store(Path(folder)) for folder in context.params.get("results") or [RESULTS]]
    return _beginning(incomplete, sorted({name for store in stores for name in store.plan_names()}))


def plug_ins(context: typer.Context, incomplete: str) -> list[str]:
    """Methods, attacks or whatever the words before ask for, as the schema of grid files has them; or grids."""
    if context.params.get("what") == "grids":
        return grids(incomplete)
    groups = json.loads((files("bench.grid") / "grid.schema.json").read_text("utf-8"))["$defs"]
    group = groups.get(context.params.get("what"), {"anyOf": [{"enum": []}]})
    return _beginning(incomplete, group["anyOf"][0]["enum"])


def cells(context: typer.Context, incomplete: str) -> list[str]:
    """Keys of the results folder in use."""
    return _beginning(incomplete, Store(Path(context.params.get("results") or RESULTS)).find(""))


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
