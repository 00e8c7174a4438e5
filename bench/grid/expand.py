"""Grid files: YAML in, cells out. The only code that knows all plug-ins."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from attacks import ATTACKS
from bench.core.data import Outline
from bench.core.datasets import DATASETS
from bench.core.errors import UserError, brief, cut, one_line, refusal, suggestion
from bench.core.network_names import whole
from bench.core.settings import Settings
from bench.core.train import Recipe
from bench.grid.cell import Cell, Choice
from bench.grid.condition import Condition, Pair, Stack, Variant
from bench.grid.controls import acting, controls_first, controls_of, identity, own_controls
from bench.grid.grid_file import Block, GridFile
from bench.grid.limit import check_count
from bench.grid.measured import measured
from bench.grid.replaced import is_cut, replaced_by
from bench.grid.scale import Scale, check_names
from bench.grid.stack import check_method, check_stack, check_victim, declined
from bench.grid.written import Written, read_written
from bench.grid.yaml_file import mapping, validate, within
from measures import MEASURES
from methods import METHODS

TABLES: dict[str, Mapping[str, type[Settings]]] = {
    "datasets": DATASETS,
    "methods": METHODS,
    "attacks": ATTACKS,
    "measures": MEASURES,
}
REPLACED = {"dataset": "datasets", "model": "models", "seeds": "seeds", "noise_seeds": "noise_seeds"}
"""Keys of a scale that replace a key of the grid."""
Large = tuple[bool, bool]
"""Whether the images are so large that plug-ins take the settings of the ImageNet subset: at the scale, on paper."""
NO_DATA: Large = (False, False)
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
    return Expansion(file, written, f"scale {scale_name}", scale, user, data_root).grid(written.keys)


@dataclass(frozen=True)
class Expansion:
    """The sources of every setting, weakest first: plug-in default, scale, grid file, the user's --set."""

    file: Path
    written: Written
    scale_where: str
    """What error messages call the scale."""
    scale: Scale
    user: Scale
    data_root: Path

    def grid(self, parsed: GridFile) -> Grid:
        """All conditions and cells of a parsed file."""
        recipe = validate(
            Recipe,
            [
                (f"{self.scale_where}: train", self.scale.train),
                (self.written.where("train"), parsed.train),
                ("--set train", self.user.train),
            ],
        )
        seeds = range(self.user.seeds or self.scale.seeds or parsed.seeds)
        noises = range(self.user.noise_seeds or self.scale.noise_seeds or parsed.noise_seeds)
        datasets, models = self._datasets(parsed), self._models(parsed)
        conditions: list[Condition] = []
        places = itertools.product(datasets, models)
        for number, ((dataset, fingerprint, outline), (model, paper_model)) in enumerate(places, 1):
            here = []
            pairs = self._all_pairs(parsed, dataset, outline, model)
            check_count(number * len(pairs) * len(seeds) * len(noises), str(self.file))
            for method, attacks in pairs:
                applied = tuple(acting(attacks, method, NONE))
                if not (reason := declined(method.choice, applied, outline, model)):
                    check_method(method.choice, outline, self.written.where("methods"))
                    check_victim(applied, model, outline, self.written.where("attacks"))
                cells = tuple(
                    Cell(dataset.choice, fingerprint, model, method.choice, applied, recipe, seed, noise)
                    for noise in (noises if method.choice.settings.draws else [0])
                    for seed in seeds
                    if not reason
                )
                here.append(Condition(dataset, model, paper_model, method, attacks, cells, declined=reason))
            conditions += _with_own_controls(here)
            measures = self._measures(parsed, dataset)
            check_count(len(conditions) + len(here) * len(measures) * len(noises), str(self.file))
            conditions += measured(here, measures)
        replaced = tuple(replaced_by(self.scale, self.user, parsed, [dataset for dataset, *_ in datasets], models))
        return Grid(one_line(self.file.stem), parsed.title, parsed.about, tuple(conditions), replaced)

    def _measures(self, parsed: GridFile, dataset: Variant) -> list[Variant]:
        return self._for(dataset)._variants("measures", parsed.measures, NO_DATA)

    def _for(self, dataset: Variant) -> "Expansion":
        """The same for one data set: radii are those of the paper's images, and only smaller ones ask for others."""
        if is_cut(dataset):
            return self
        return replace(self, scale=self.scale.model_copy(update={"multiply": {}}))

    def _all_pairs(self, parsed: GridFile, dataset: Variant, outline: Outline, model: str) -> list[Pair]:
        """Every method with every stack of attacks that it meets; the controls first, if they are wanted."""
        at_scale, on_paper = dataset.choice.settings, dataset.paper.settings
        large = (at_scale.large_images, on_paper.large_images)
        pairs = list(self._for(dataset)._pairs(parsed, large))
        if not parsed.controls:
            return pairs
        run = [
            (method, attacks)
            for method, attacks in pairs
            if not declined(method.choice, acting(attacks, method, NONE), outline, model)
        ]
        return controls_first([*pairs, *controls_of(run, at_scale.shape, on_paper.shape, METHODS, ATTACKS)])

    def _pairs(self, parsed: GridFile, large: Large) -> Iterator[Pair]:
        """Every method with every stack of attacks of its block, that of the whole grid first."""
        blocks = [("", Block(methods=parsed.methods, attacks=parsed.attacks))]
        for row, values in enumerate(parsed.also):
            blocks.append((f"also[{row}].", validate(Block, [(self.written.where(f"also[{row}]"), values)])))
        for where, block in blocks:
            methods = self._variants("methods", block.methods, large, where)
            stacks = self._stacks(block.attacks, large, where)
            check_count(len(methods) * len(stacks), str(self.file))
            yield from itertools.product(methods, stacks)

    def _variants(self, group: str, items: Sequence[Any], large: Large, block: str = "") -> list[Variant]:
        """The plug-ins that a list of a grid file names, sweeps written out."""
        where = self.written.where(f"{block}{group}")
        return [
            variant
            for row, item in enumerate(items)
            for variant in self._variant(group, item, f"{where}[{row}]", large)
        ]

    def _variant(self, group: str, item: Any, where: str, large: Large) -> Iterator[Variant]:
        values = {"name": item} if isinstance(item, str) else dict(mapping(item, where))
        if "name" not in values:
            raise UserError(f"{where}: missing key 'name'{suggestion('', TABLES[group])}")
        name = values.pop("name")
        if not isinstance(name, str) or name not in TABLES[group]:
            word = group.removesuffix("s").replace("dataset", "data set")
            raise UserError(f"{where}: unknown {word} {brief(name)}{suggestion(str(name), TABLES[group])}")
        settings = TABLES[group][name]
        at_scale, at_paper = (dict(settings.large) if is_large else {} for is_large in large)
        defaults = {key: field.default for key, field in settings.model_fields.items() if not field.is_required()}
        for key, value in values.items():
            if value == []:
                raise UserError(f"{within(where, key)}: a sweep must hold at least one value")
        user = self.user.named(group, name)
        everywhere = ((where, values), (f"--set {group}.{name}", user))
        idle = [within(place, key) for place, written in everywhere for key in written if key in settings.idle]
        if idle:
            raise UserError(f"{idle[0]}: does nothing for {name}")
        sweeps = [value if isinstance(value, list) else [value] for value in values.values()]
        check_count(math.prod(map(len, sweeps)), where)
        for combination in itertools.product(*sweeps):
            written = dict(zip(values, combination, strict=True))
            elsewhere = {**self.scale.named(group, name), **user}
            needed = {key: value for key, value in elsewhere.items() if key not in defaults}
            paper = validate(settings, [(where, {**at_paper, **needed, **written})])
            scaled = validate(
                settings,
                [
                    (f"{self.scale_where}: multiply", self.scale.multiplied(defaults | at_scale)),
                    (
                        f"{self.scale_where}: {group}.{name}",
                        self.scale.settings(group, name, set(settings.model_fields)),
                    ),
                    (where, self.scale.multiplied(written)),
                    (f"--set {group}.{name}", self.user.settings(group, name, set(settings.model_fields))),
                ],
            )
            yield Variant(Choice(name, scaled), Choice(name, paper), tuple(written))

    def _stacks(self, items: Sequence[Any], large: Large, block: str) -> list[Stack]:
        stacks: list[Stack] = []
        for row, item in enumerate(items):
            where = self.written.where(f"{block}attacks[{row}]")
            if item == []:
                raise UserError(f"{where}: an empty stack; write none for plain training")
            if isinstance(item, list):
                parts = [(part, f"{where}[{depth}]") for depth, part in enumerate(item)]
                layers = [list(self._variant("attacks", *part, large)) for part in parts]
                check_stack([layer[0].choice for layer in layers], where)  # a sweep changes no attack's place
                check_count(math.prod(map(len, layers)), where)
                stacks += itertools.product(*layers)
            else:
                stacks += [(variant,) for variant in self._variant("attacks", item, where, large)]
        return stacks

    def _datasets(self, parsed: GridFile) -> list[tuple[Variant, str, Outline]]:
        """Data sets, fingerprints of their contents, outlines; one that replaces the others stands for the first."""
        variants = self._variants("datasets", parsed.datasets, NO_DATA)
        replacement = self.user.dataset or self.scale.dataset
        if replacement:
            where = "--set dataset" if self.user.dataset else f"{self.scale_where}: dataset"
            [substitute] = self._variant("datasets", replacement, where, NO_DATA)
            variants = [replace(substitute, paper=variants[0].paper)]
        try:
            root, settings = self.data_root, [variant.choice.settings for variant in variants]
            known = ((one.fingerprint(root), one.outline(root)) for one in settings)
            return [(variant, *about) for variant, about in zip(variants, known, strict=True)]
        except (OSError, UserError) as error:
            raise UserError(f"{self.written.where('datasets')}: {refusal(error, 'see --data-root')}") from None

    def _models(self, parsed: GridFile) -> list[tuple[str, str]]:
        replacement = self.user.model or self.scale.model
        return [(replacement, parsed.models[0])] if replacement else [(model, whole(model)) for model in parsed.models]


def _with_own_controls(conditions: Sequence[Condition]) -> Iterator[Condition]:
    """The same, each with those of the controls that its attacks name which are among them."""
    known = {identity((condition.method, condition.attacks)): condition for condition in reversed(conditions)}
    for condition in conditions:
        controls = map(identity, own_controls((condition.method, condition.attacks), METHODS, ATTACKS))
        yield replace(condition, own_controls=tuple(known[control] for control in controls if control in known))
