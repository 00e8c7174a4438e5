"""Where grids and scales are found: those that come with the suite, and a user's own."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.core.errors import UserError, brief, one_line, suggestion
from bench.grid.yaml_file import kind, read_mapping

Values = Mapping[str, Any]
"""The keys of a grid file."""

SCALES = "scales.yaml"
FOLDER = Path("grids")
"""A project's own grids, which go by name as those of the suite do."""
SHIPPED = Path(__file__).parents[2] / "grids"
"""Beside the packages: at the top of a checkout, or where pip puts the wheel."""


def named_grids() -> dict[str, Path]:
    """The grids that go by name, in alphabetical order: those of `grids/`, and those of the suite beyond them."""
    found = {file.stem: file for folder in (SHIPPED, FOLDER) for file in folder.glob("*.yaml") if file.name != SCALES}
    return dict(sorted(found.items()))


def grid_file(written: Path) -> Path:
    """The file that a user means by a path or by the name of a grid. Raises UserError if there is none."""
    if written.exists() and not written.is_dir():
        return written
    known = named_grids()
    if str(written) not in known:
        beside = [str(file) for file in sorted(written.parent.glob("*.yaml"))]
        word = str(written) if beside else written.stem
        raise UserError(f"{written}: no such grid{suggestion(word, [*known, *beside])}")
    return known[str(written)]


def scales_file(grid: Path) -> Path:
    """The scales that hold for a grid: those beside it, else those of the suite."""
    beside = grid.parent / SCALES
    return beside if beside.is_file() else SHIPPED / SCALES


def place_of(grid: Path, results: Path) -> str:
    """What tells two grids of one name apart: `grids/NAME.yaml` if it comes with the suite, else the path to it.

    The path is relative to where the folder `results` is: it stays when a whole project moves. What is not printable
    in it is written as Python does: names of files need not be text. A user's own that would be called as one of the
    suite has a dot before it.
    """
    shipped = (FOLDER / grid.name).as_posix()
    if grid.resolve().parent == SHIPPED.resolve():
        return shipped
    own = one_line(Path(os.path.relpath(grid.resolve(), results.resolve().parent)).as_posix())
    return f"./{own}" if own == shipped and (SHIPPED / grid.name).is_file() else own


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
        following = None if like is None else _found(like, following)
    yield from reversed(chain)


def _found(like: str, file: Path) -> Path:
    """The grid called `like`: another one beside `file`, else what `run` would take; of its own name the suite's."""
    beside = {one.stem: one for one in sorted(file.parent.glob("*.yaml")) if one.name != file.name}
    if file.stem == like and (SHIPPED / file.name).is_file():
        return SHIPPED / file.name
    try:
        return beside.get(like.removesuffix(".yaml")) or grid_file(Path(like))
    except UserError:
        names = sorted({*beside, *named_grids()} - {Path(SCALES).stem})
        raise UserError(f"{file}: like: no grid is called {brief(like)}{suggestion(like, names)}") from None
