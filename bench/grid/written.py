"""What a grid file says at a scale: its own keys over those of the grid that it is like."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import UserError, brief, suggestion
from bench.grid.grid_file import GridFile
from bench.grid.library import Values, lineage_of
from bench.grid.scale import Scale, lineage
from bench.grid.yaml_file import validate, within

WHOLE = {"like", "scalable", "at"}
"""Keys of a file as a whole."""
Layer = tuple[str, Values]
"""Keys that are written together, and where."""


@dataclass(frozen=True)
class Written:
    """A grid as it is written for one scale."""

    keys: GridFile
    places: Mapping[str, str]
    """Where each key is written: the file, and the scale if it is for that one alone; else the file that was read."""
    fixed: frozenset[str]
    """The keys that no scale replaces."""

    def where(self, key: str) -> str:
        """What messages call the place of a key: `grids/table2.yaml: methods`."""
        return within(self.places[re.split(r"[.[]", key)[0]], key)


def read_written(file: Path, scales: Mapping[str, Scale], scale: str) -> Written:
    """Read a grid file for a scale. Raises UserError for unknown keys and scales, and for values of another kind."""
    layers: list[Layer] = []
    places = dict.fromkeys(GridFile.model_fields, str(file))
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
    return Written(validate(GridFile, layers), places, frozenset(fixed))


def _check_scales(at: Mapping[str, Values], scales: Collection[str], file: Path) -> None:
    """Raise UserError for a scale that `file` has keys for and that there is not, and for keys that no scale has."""
    for name, values in at.items():
        if name not in scales:
            raise UserError(f"{file}: at: unknown scale {brief(name)}{suggestion(name, scales)}")
        for key in WHOLE & values.keys():
            raise UserError(f"{file}: at.{name}.{key}: holds for all scales; write it outside of at")
