"""Grid files: YAML in, cells out."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.core.data import Outline
from bench.core.errors import UserError, asked, cut, one_line, refusal, suggestion
from bench.core.network_names import whole
from bench.core.settings import STACKED
from bench.core.train import Recipe
from bench.grid.cell import Cell, Choice
from bench.grid.condition import Condition, Variant
from bench.grid.controls import acting, controls_first, controls_of, identity, own_controls
from bench.grid.grid_file import Block, GridFile
from bench.grid.limit import check_count
from bench.grid.measured import measured
from bench.grid.named import NO_DATA, Large, Sources
from bench.grid.plug_ins import ATTACKS, METHODS, TABLES
from bench.grid.replaced import is_cut, replaced_by
from bench.grid.scale import Scale, check_names
from bench.grid.stack import check_method, check_victim, declined
from bench.grid.wanted import Wanted, noises_of_own_controls
from bench.grid.written import read_written
from bench.grid.yaml_file import validate

REPLACED = {"dataset": "datasets", "model": "models", "seeds": "seeds"}
"""Keys of a scale that replace a key of the grid; it replaces `noise_seeds` of the grid and of its blocks as well."""
NONE = Choice("none", ATTACKS["none"]())


@dataclass(frozen=True)
class Grid:
    """All conditions of a grid file at a scale: its controls, then all else in the order written."""

    name: str
    title: str
    about: str
    conditions: tuple[Condition, ...]
    replaced: tuple[str, ...] = ()
    """What the scale changed of what the file says, in words: `resnet18 -> cnn`."""
    kept: tuple[str, ...] = ()
    """The keys of the file that the scale has other values for, and that stand."""

    @property
    def cells(self) -> list[Cell]:
        """All cells, each once, those of the first seed first."""
        by_seed = itertools.zip_longest(*(condition.cells for condition in self.conditions))
        return list({cell.key: cell for row in by_seed for cell in row if cell is not None}.values())


def read_grid(file: Path, scales: dict[str, Scale], scale_name: str, user: Scale, data_root: Path) -> Grid:
    """Expand `file` at a scale, as changed by the `user`, into cells. Raises UserError for all a user can get wrong."""
    if scale_name not in scales:
        raise UserError(f"{file}: --scale {cut(scale_name)}: unknown scale{suggestion(scale_name, scales)}")
    check_names(scales[scale_name], f"scale {scale_name}: ", TABLES, Recipe)
    check_names(user, "--set ", TABLES, Recipe)
    written = read_written(file, scales, scale_name)
    kept = [field for field, key in REPLACED.items() if key in written.fixed]
    scale = scales[scale_name].model_copy(update=dict.fromkeys(kept))
    for other in written.keys.at.keys() - {scale_name}:  # a mistake there is told before anybody runs it
        sources = Sources(read_written(file, scales, other), f"scale {other}", scales[other], Scale())
        Expansion(file, sources, data_root).check()
    grid = Expansion(file, Sources(written, f"scale {scale_name}", scale, user), data_root).grid()
    return replace(grid, kept=tuple(REPLACED[field] for field in kept if getattr(scales[scale_name], field)))


@dataclass(frozen=True)
class Expansion:
    """A grid file, with all that decides what becomes of it."""

    file: Path
    sources: Sources
    data_root: Path

    @property
    def parsed(self) -> GridFile:
        """The keys of the file at the scale."""
        return self.sources.written.keys

    def grid(self) -> Grid:
        """All conditions and cells."""
        scale, user, parsed = self.sources.scale, self.sources.user, self.parsed
        recipe = self._recipe(user)
        seeds = range(user.seeds or scale.seeds or parsed.seeds)
        datasets, models = self._datasets(), self._models()
        conditions: list[Condition] = []
        places = itertools.product(datasets, models)
        for number, ((dataset, fingerprint, outline), (model, paper_model)) in enumerate(places, 1):
            here = []
            wanted = self._all_wanted(dataset, outline, model)
            check_count(number * sum(one.drawn for one in wanted) * len(seeds), str(self.file))
            for one in wanted:
                method, attacks = one.pair
                applied = tuple(acting(attacks, method, NONE))
                reason = declined(method.choice, applied, outline, model)
                cells = tuple(
                    Cell(dataset.choice, fingerprint, model, method.choice, applied, recipe, seed, noise)
                    for noise in range(one.drawn)
                    for seed in seeds
                    if not reason
                )
                here.append(Condition(dataset, model, paper_model, method, attacks, cells, declined=reason))
            conditions += _with_own_controls(here)
            measures = self._sources_for(dataset).variants("measures", parsed.measures, NO_DATA)
            noises = {(one.method.choice, noise) for one in wanted for noise in range(one.drawn)}
            check_count(number * len(noises) * len(measures), str(self.file))
            conditions += measured(here, measures, outline)
        written: dict[str, list[Any]] = {
            "datasets": [one.choice.name for one in self._written_datasets],
            "models": parsed.models,
            "seeds": [parsed.seeds],
            "noise_seeds": self._replaced_noises(),
        }
        used = {one.choice for each in conditions for one in (each.method, *each.attacks)}
        settings = {name for choice in used for name in type(choice.settings).model_fields}
        replaced = tuple(replaced_by(scale, user, written, [dataset for dataset, *_ in datasets], models, settings))
        return Grid(one_line(self.file.stem), parsed.title, parsed.about, tuple(conditions), replaced)

    def check(self) -> None:
        """Raise UserError for what is wrong whatever the data are: names and settings of all lists."""
        self._recipe(Scale())
        _ = self._written_datasets
        self.sources.variants("measures", self.parsed.measures, NO_DATA)
        for _ in self._wanted(self.sources, NO_DATA):
            pass

    def _recipe(self, user: Scale) -> Recipe:
        """How victims are trained. What a file writes must hold also if the user changes it."""
        of_scale = (f"{self.sources.scale_where}: train", self.sources.scale.train)
        written = [of_scale, (self._where("train"), self.parsed.train)]
        validate(Recipe, written)
        return validate(Recipe, [*written, ("--set train", user.train)])

    def _where(self, key: str) -> str:
        return self.sources.written.where(key)

    def _sources_for(self, dataset: Variant) -> Sources:
        """Those of one data set: radii are those of the paper's images, and only smaller ones ask for others."""
        return self.sources if is_cut(dataset) else self.sources.as_on_paper()

    def _all_wanted(self, dataset: Variant, outline: Outline, model: str) -> list[Wanted]:
        """Every method with every stack of attacks that it meets, each once; the controls first, if they are wanted."""
        at_scale, on_paper = dataset.choice.settings, dataset.paper.settings
        large = (at_scale.large_images, on_paper.large_images)
        found: dict[Any, Wanted] = {}
        for one in self._wanted(self._sources_for(dataset), large):
            first = found.get(one.place, one)
            found[one.place] = replace(first, noises=max(first.noises, one.noises))
        pairs = {one.pair: one for one in found.values()}
        run = [one.pair for one in pairs.values() if self._runs(one, outline, model)]
        if not self.parsed.controls:
            return list(pairs.values())
        noises = noises_of_own_controls(list(pairs.values()))
        return [
            pairs.get(pair) or Wanted(*pair, noises.get(identity(pair), self._noises()), "methods", "attacks")
            for pair in controls_first([*pairs, *controls_of(run, at_scale.shape, on_paper.shape, METHODS, ATTACKS)])
        ]

    def _runs(self, one: Wanted, outline: Outline, model: str) -> bool:
        """Whether nothing declines it. Raises UserError for a network that does not fit the images."""
        applied = acting(one.attacks, one.method, NONE)
        if declined(one.method.choice, applied, outline, model):
            return False
        with asked(f"the networks of {one.method.label}"):
            check_method(one.method.choice, outline, self._where(one.methods_key))
        with asked(f"what a victim sees of {STACKED.join(attack.name for attack in applied)}"):
            check_victim(applied, model, outline, self._where("models"), self._where(one.attacks_key))
        return True

    def _wanted(self, sources: Sources, large: Large) -> Iterator[Wanted]:
        """Every method with every stack of attacks of its block, that of the whole grid first."""
        whole_grid = Block(methods=self.parsed.methods, attacks=self.parsed.attacks)
        for where, block in [("", whole_grid), *self._blocks()]:
            written, met = (where, block.attacks) if block.attacks else ("", self.parsed.attacks)
            methods = sources.variants("methods", block.methods, large, where)
            stacks = sources.stacks(met, large, written)
            check_count(len(methods) * len(stacks), str(self.file))
            for method, attacks in itertools.product(methods, stacks):
                yield Wanted(method, attacks, self._noises(block), f"{where}methods", f"{written}attacks")

    def _blocks(self) -> Iterator[tuple[str, Block]]:
        """The further blocks of the file, each after what its keys begin with."""
        for row, values in enumerate(self.parsed.also):
            yield f"also[{row}].", validate(Block, [(self._where(f"also[{row}]"), values)])

    def _noises(self, block: Block | None = None) -> int:
        """Noises of each method of a block, else of the whole grid."""
        own = block.noise_seeds if block else None
        scale = None if self._stands("also" if own else "noise_seeds") else self.sources.scale.noise_seeds
        return self.sources.user.noise_seeds or scale or own or self.parsed.noise_seeds

    def _stands(self, key: str) -> bool:
        """Whether no scale replaces what the file writes there."""
        return key in self.sources.written.fixed

    def _replaced_noises(self) -> list[int]:
        """The numbers of noises that the file writes and a scale may replace."""
        of_grid = [] if self._stands("noise_seeds") else [self.parsed.noise_seeds]
        own = [] if self._stands("also") else [block.noise_seeds for _, block in self._blocks()]
        return of_grid + [count for count in own if count]

    @cached_property
    def _written_datasets(self) -> list[Variant]:
        return self.sources.variants("datasets", self.parsed.datasets, NO_DATA)

    def _datasets(self) -> list[tuple[Variant, str, Outline]]:
        """Data sets, fingerprints of their contents, outlines; one that replaces the others stands for the first."""
        user, scale = self.sources.user, self.sources.scale
        variants = self._written_datasets
        if replacement := user.dataset or scale.dataset:
            where = "--set dataset" if user.dataset else f"{self.sources.scale_where}: dataset"
            [substitute] = self.sources.one("datasets", replacement, where, NO_DATA)
            variants = [replace(substitute, paper=variants[0].paper)]
        try:
            root, settings = self.data_root, [variant.choice.settings for variant in variants]
            known = [(one.fingerprint(root), one.outline(root)) for one in settings]
        except (OSError, UserError) as error:
            raise UserError(f"{self._where('datasets')}: {refusal(error, 'see --data-root')}") from None
        for variant, (_, outline) in zip(variants, known, strict=True):
            if outline.num_classes < 2:
                raise UserError(f"{self._where('datasets')}: {variant.label} has a single class: nothing can be learnt")
        return [(variant, *about) for variant, about in zip(variants, known, strict=True)]

    def _models(self) -> list[tuple[str, str]]:
        """The victims in use, each with the one on paper."""
        models = self.parsed.models
        replacement = self.sources.user.model or self.sources.scale.model
        return [(replacement, models[0])] if replacement else [(model, whole(model)) for model in models]


def _with_own_controls(conditions: Sequence[Condition]) -> Iterator[Condition]:
    """The same, each with those of the controls that its attacks name which are among them."""
    known = {identity((condition.method, condition.attacks)): condition for condition in reversed(conditions)}
    for condition in conditions:
        controls = map(identity, own_controls((condition.method, condition.attacks), METHODS, ATTACKS))
        yield replace(condition, own_controls=tuple(known[control] for control in controls if control in known))
