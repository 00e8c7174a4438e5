"""Grid files: YAML in, cells out."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.core.data import Outline
from bench.core.errors import UserError, cut, one_line, refusal, suggestion
from bench.core.network_names import whole
from bench.core.train import Recipe
from bench.grid.cell import Cell, Choice
from bench.grid.condition import Condition, Pair, Variant
from bench.grid.controls import acting, controls_first, controls_of, identity, own_controls
from bench.grid.grid_file import Block, GridFile
from bench.grid.limit import check_count
from bench.grid.measured import measured
from bench.grid.named import NO_DATA, Large, Sources
from bench.grid.plug_ins import ATTACKS, METHODS, TABLES
from bench.grid.replaced import is_cut, replaced_by
from bench.grid.scale import Scale, check_names
from bench.grid.stack import check_method, check_victim, declined
from bench.grid.written import read_written
from bench.grid.yaml_file import validate

REPLACED = {"dataset": "datasets", "model": "models", "seeds": "seeds", "noise_seeds": "noise_seeds"}
"""Keys of a scale that replace a key of the grid."""
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
    scale = scales[scale_name].model_copy(
        update={field: None for field, key in REPLACED.items() if key in written.fixed}
    )
    return Expansion(file, Sources(written, f"scale {scale_name}", scale, user), written.keys, data_root).grid()


@dataclass(frozen=True)
class Expansion:
    """A grid file, with all that decides what becomes of it."""

    file: Path
    sources: Sources
    parsed: GridFile
    data_root: Path

    def grid(self) -> Grid:
        """All conditions and cells."""
        scale, user, parsed = self.sources.scale, self.sources.user, self.parsed
        recipe = validate(
            Recipe,
            [
                (f"{self.sources.scale_where}: train", scale.train),
                (self._where("train"), parsed.train),
                ("--set train", user.train),
            ],
        )
        seeds = range(user.seeds or scale.seeds or parsed.seeds)
        datasets, models = self._datasets(), self._models()
        conditions: list[Condition] = []
        places = itertools.product(datasets, models)
        for number, ((dataset, fingerprint, outline), (model, paper_model)) in enumerate(places, 1):
            here = []
            pairs = self._all_pairs(dataset, outline, model)
            check_count(number * sum(pairs.values()) * len(seeds), str(self.file))
            for (method, attacks), noises in pairs.items():
                applied = tuple(acting(attacks, method, NONE))
                if not (reason := declined(method.choice, applied, outline, model)):
                    check_method(method.choice, outline, self._where("methods"))
                    check_victim(applied, model, outline, self._where("attacks"))
                cells = tuple(
                    Cell(dataset.choice, fingerprint, model, method.choice, applied, recipe, seed, noise)
                    for noise in range(noises if method.choice.settings.draws else 1)
                    for seed in seeds
                    if not reason
                )
                here.append(Condition(dataset, model, paper_model, method, attacks, cells, declined=reason))
            conditions += _with_own_controls(here)
            measures = self._sources_for(dataset).variants("measures", parsed.measures, NO_DATA)
            check_count(len(conditions) + len(here) * len(measures) * max(pairs.values()), str(self.file))
            conditions += measured(here, measures)
        counts = {"seeds": [parsed.seeds], "noise_seeds": self._counts_of_noises()}
        replaced = tuple(replaced_by(scale, user, counts, [dataset for dataset, *_ in datasets], models))
        return Grid(one_line(self.file.stem), parsed.title, parsed.about, tuple(conditions), replaced)

    def _where(self, key: str) -> str:
        return self.sources.written.where(key)

    def _sources_for(self, dataset: Variant) -> Sources:
        """Those of one data set: radii are those of the paper's images, and only smaller ones ask for others."""
        return self.sources if is_cut(dataset) else self.sources.as_on_paper()

    def _all_pairs(self, dataset: Variant, outline: Outline, model: str) -> dict[Pair, int]:
        """Every method with every stack of attacks that it meets, and the noises of each; controls first, if wanted."""
        at_scale, on_paper = dataset.choice.settings, dataset.paper.settings
        large = (at_scale.large_images, on_paper.large_images)
        noises: dict[Pair, int] = {}
        for pair, count in self._pairs(self._sources_for(dataset), large):
            noises[pair] = max(count, noises.get(pair, 0))
        if not self.parsed.controls:
            return noises
        run = [
            (method, attacks)
            for method, attacks in noises
            if not declined(method.choice, acting(attacks, method, NONE), outline, model)
        ]
        pairs = controls_first([*noises, *controls_of(run, at_scale.shape, on_paper.shape, METHODS, ATTACKS)])
        return {pair: noises.get(pair, self._noises()) for pair in pairs}

    def _pairs(self, sources: Sources, large: Large) -> Iterator[tuple[Pair, int]]:
        """Every method with every stack of attacks of its block, that of the whole grid first; how many noises."""
        whole_grid = Block(methods=self.parsed.methods, attacks=self.parsed.attacks)
        for where, block in [("", whole_grid), *self._blocks()]:
            methods = sources.variants("methods", block.methods, large, where)
            stacks = sources.stacks(block.attacks, large, where)
            check_count(len(methods) * len(stacks), str(self.file))
            for pair in itertools.product(methods, stacks):
                yield pair, self._noises(block)

    def _blocks(self) -> Iterator[tuple[str, Block]]:
        """The further blocks of the file, each after what its keys begin with."""
        for row, values in enumerate(self.parsed.also):
            yield f"also[{row}].", validate(Block, [(self._where(f"also[{row}]"), values)])

    def _noises(self, block: Block | None = None) -> int:
        """Noises of each method of a block, else of the whole grid."""
        own = block.noise_seeds if block else None
        scale = None if own and self._also_stands else self.sources.scale.noise_seeds
        return self.sources.user.noise_seeds or scale or own or self.parsed.noise_seeds

    @property
    def _also_stands(self) -> bool:
        """Whether no scale replaces what the further blocks write."""
        return "also" in self.sources.written.fixed

    def _counts_of_noises(self) -> list[int]:
        """Those that the file writes and a scale may replace."""
        own = [] if self._also_stands else [block.noise_seeds for _, block in self._blocks() if block.noise_seeds]
        return [self.parsed.noise_seeds, *own]

    def _datasets(self) -> list[tuple[Variant, str, Outline]]:
        """Data sets, fingerprints of their contents, outlines; one that replaces the others stands for the first."""
        user, scale = self.sources.user, self.sources.scale
        variants = self.sources.variants("datasets", self.parsed.datasets, NO_DATA)
        if replacement := user.dataset or scale.dataset:
            where = "--set dataset" if user.dataset else f"{self.sources.scale_where}: dataset"
            [substitute] = self.sources.one("datasets", replacement, where, NO_DATA)
            variants = [replace(substitute, paper=variants[0].paper)]
        try:
            root, settings = self.data_root, [variant.choice.settings for variant in variants]
            known = ((one.fingerprint(root), one.outline(root)) for one in settings)
            return [(variant, *about) for variant, about in zip(variants, known, strict=True)]
        except (OSError, UserError) as error:
            raise UserError(f"{self._where('datasets')}: {refusal(error, 'see --data-root')}") from None

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
