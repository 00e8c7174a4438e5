"""What a grid file says at a scale: its own keys over those of the grid that it is like."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import UserError, brief, suggestion
from bench.grid.grid_file import GridFile
from bench.grid.library import SCALES, SHIPPED, grid_file, named_grids
from bench.grid.scale import Scale, lineage
from bench.grid.yaml_file import kind, read_mapping, validate, within

Values = Mapping[str, Any]
WHOLE = {"like", "scalable", "at"}
"""Keys of a file as a whole."""
Layer = tuple[str, Values]
"""Keys that are written together, and where."""


@dataclass(frozen=True)
class Written:
    """A grid as it is written for one scale."""

    file: str
    keys: GridFile
    places: Mapping[str, str]
    """Where each key is written, if any file does: which one, and the scale if it is for that one alone."""
    fixed: frozenset[str]
    """The keys that no scale replaces."""

    def where(self, key: str) -> str:
        """What messages call the place of a key: `grids/table2.yaml: methods`."""
        return within(self.places.get(re.split(r"[.[]", key)[0], self.file), key)


def read_written(file: Path, scales: Mapping[str, Scale], scale: str) -> Written:
    """Read a grid file for a scale. Raises UserError for unknown keys and scales, and for values of another kind."""
    layers: list[Layer] = []
    places: dict[str, str] = {}
    fixed: set[str] = set()
    for one, values in lineage_of(file):
        written = validate(GridFile, [*layers, (str(one), values)])
        own = written.at if "at" in values else {}
        _check_scales(own, scales if one == file else own, one)
        if "scalable" in values and written.scalable:
            fixed = fixed - values.keys() if layers else set()
        else:
            fixed |= values.keys() if layers and "scalable" not in values else GridFile.model_fields.keys()
        layers.append((str(one), values))
        at = next((name for name in lineage(scales, scale) if name in own), None)
        if at is not None:
            layers.append((f"{one}: at.{at}", own[at]))
            fixed |= own[at].keys()
    for where, values in layers:
        places |= dict.fromkeys(values, where)
    return Written(str(file), validate(GridFile, layers), places, frozenset(fixed))


def _check_scales(at: Mapping[str, Values], scales: Collection[str], file: Path) -> None:
    """Raise UserError for a scale that `file` has keys for and that there is not, and for keys that no scale has."""
    for name, values in at.items():
        if name not in scales:
            raise UserError(f"{file}: at: unknown scale {brief(name)}{suggestion(name, scales)}")
        for key in WHOLE & values.keys():
            raise UserError(f"{file}: at.{name}.{key}: holds for all scales; write it outside of at")


def lineage_of(file: Path) -> Iterator[tuple[Path, Values]]:
    """A grid file after the one that it is like, and so on, each with its keys. Raises UserError if one is missing."""
    chain: list[tuple[Path, Values]] = []
    following: Path | None = file
    while following:
        if following.resolve() in {one.resolve() for one, _ in chain}:
            raise UserError(f"{chain[-1][0]}: like: leads back to {following}")
        values = read_mapping(following)
        chain.append((following, values))
        like = values.get("like")
        if like is not None and not isinstance(like, str):
            raise UserError(f"{following}: like: must be the name of a grid, got {kind(like)}")
        following = _found(like, following) if like else None
    yield from reversed(chain)


def _found(like: str, file: Path) -> Path:
    """The grid called `like`: another one beside `file`, else what `run` would take; of its own name the suite's."""
    beside = {one.stem: one for one in sorted(file.parent.glob("*.yaml")) if one.name != file.name}
    if file.stem == like and (SHIPPED / file.name).is_file():
        return SHIPPED / file.name
    try:
        return beside.get(like) or grid_file(Path(like))
    except UserError:
        names = sorted({*beside, *named_grids()} - {Path(SCALES).stem})
        raise UserError(f"{file}: like: no grid is called {brief(like)}{suggestion(like, names)}") from None
