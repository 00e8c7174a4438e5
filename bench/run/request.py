"""What a user asked for: which grids, at which scale, with which changes, where, and with how many workers."""

import importlib.util
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.core.device import available_devices, default_jobs
from bench.core.errors import UserError, brief, cut, suggestion
from bench.core.keeper import KINDS, Kind
from bench.grid.cell import Cell
from bench.grid.condition import Condition
from bench.grid.expand import Grid, read_grid
from bench.grid.library import SCALES, grid_file, place_of, scales_file
from bench.grid.plan import Plan, plan_name, plan_of
from bench.grid.replaced import check_reached
from bench.grid.scale import Scale, read_assignments, read_scales
from bench.run.selection import Wanted, meets, wanted_by
from bench.run.workplace import Workplace
from bench.store import Record, Store

LONGEST = 200
"""Bytes of the name of a plan, after which its tables and figures are called; file systems allow 255."""


@dataclass(frozen=True)
class Request:
    """One `run` or `protect` command. Reading any property raises UserError for what cannot be used."""

    grids: tuple[Path, ...]
    scale: str
    assignments: tuple[str, ...]
    only: tuple[str, ...]
    noise_seeds: int | None
    jobs: int | None
    device: str
    data_root: Path
    results: Path
    seeds: int | None = None
    cluster: str = ""
    retry_failed: bool = False
    keep: str = ""
    compiling: bool = False

    @cached_property
    def user(self) -> Scale:
        """What --set, --seeds and --noise-seeds change."""
        user = read_assignments(list(self.assignments))
        numbers = {"seeds": self.seeds, "noise_seeds": self.noise_seeds}
        given = {name: number for name, number in numbers.items() if number}
        for name in given:
            if getattr(user, name):
                raise UserError(f"--set {name}: --{name.replace('_', '-')} sets it too; leave one of them out")
        return user.model_copy(update=given)

    @cached_property
    def expanded(self) -> list[tuple[Grid, Scale]]:
        """Every grid with the scale it is run at."""
        pairs = []
        for file in self.files:
            scales = read_scales(scales_file(file))
            pairs.append((read_grid(file, scales, self.scale, self.user, self.data_root), scales[self.scale]))
        check_reached(self.user, [condition for grid, _ in pairs for condition in grid.conditions])
        self._check_plans([plan_name(grid, self.scale, self.user) for grid, _ in pairs])
        return pairs

    @property
    def scales(self) -> list[str]:
        """The scales that the first grid can be run at, in the order of their file."""
        return list(read_scales(scales_file(self.files[0])))

    @cached_property
    def files(self) -> list[Path]:
        """The grid files, each once. The scales that lie among the grids are none: `grids/*.yaml` names them too."""
        grids = [written for written in self.grids if written.name != SCALES] or self.grids
        return list(dict.fromkeys(map(grid_file, grids)))

    @cached_property
    def workplace(self) -> Workplace:
        """Devices, workers and folders."""
        if self.cluster and not importlib.util.find_spec("distributed"):
            raise UserError(f"--cluster {cut(self.cluster)}: needs dask: pip install 'unlearnable-bench[dask]'")
        try:
            devices = available_devices(self.device)
        except ValueError as error:
            raise UserError(f"--device {cut(self.device)}: {error}") from None
        jobs = self.jobs or default_jobs(devices)
        store = Store(self.results, self.kept)
        return Workplace(store, self.data_root, tuple(devices), jobs, self.cluster, self.compiling)

    @property
    def kept(self) -> frozenset[Kind]:
        """What --keep names."""
        names = self.keep.split(",") if self.keep else []
        if "" in names:
            raise UserError(f"--keep {cut(self.keep)}: a name is empty")
        for name in names:
            if name not in KINDS:
                raise UserError(f"--keep {cut(self.keep)}: unknown {brief(name)}{suggestion(name, KINDS)}")
        return frozenset(kind for kind in KINDS if kind in names)

    @cached_property
    def asked(self) -> dict[str, Record]:
        """For each wanted cell, by key: which grid and scale asked for it, and what these changed."""
        return {
            cell.key: {"grid": grid.name, "scale": self.scale, "changes": scale.changes(), "set": self.user.changes()}
            for grid, scale in reversed(self.expanded)
            for cell in grid.cells
        }

    @cached_property
    def declined(self) -> list[str]:
        """Why some of what is wanted does not apply."""
        return [one.declined for one in self._conditions if one.declined and meets(one, None, self._wanted)]

    @property
    def _conditions(self) -> list[Condition]:
        return [condition for grid, _ in self.expanded for condition in grid.conditions]

    @cached_property
    def _wanted(self) -> Wanted:
        return wanted_by(self.only, self._conditions)

    @cached_property
    def cells(self) -> list[Cell]:
        """All wanted cells, each once."""
        wanted = self._wanted
        keys = {cell.key for one in self._conditions for cell in one.cells if meets(one, cell, wanted)}
        if self.only and not keys:
            reason = next(iter(self.declined), "no cell of the grid is all of that")
            raise UserError(f"--only {cut(' '.join(self.only))}: {reason}")
        return list({cell.key: cell for grid, _ in self.expanded for cell in grid.cells if cell.key in keys}.values())

    def plans(self) -> dict[str, Plan]:
        """What the report needs of each grid, by the name of the plan."""
        return {
            plan_name(grid, self.scale, self.user): plan_of(grid, place, self.scale, scale, self.user)
            for (grid, scale), place in zip(self.expanded, self._places, strict=True)
        }

    @property
    def _places(self) -> list[str]:
        return [place_of(file, self.results) for file in self.files]

    def _check_plans(self, names: list[str]) -> None:
        """Raise UserError if the plan of a grid would replace that of another file."""
        store = Store(self.results)
        owners: dict[str, str] = {}
        for file, name, place in zip(self.files, names, self._places, strict=True):
            if len(name.encode()) > LONGEST:
                raise UserError(f"{cut(str(file))}: names its plan, and is longer than {LONGEST} bytes; shorten it")
            owner = owners.setdefault(name, (store.plan(name, to_replace=True) or {}).get("file") or place)
            if owner != place:
                raise UserError(
                    f"{file}: {store.plan_file(name)} is the plan of {owner}, another grid of this name; rename one of "
                    "them (if the grid has moved, delete its plan)"
                )
