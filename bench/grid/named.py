"""The plug-ins that the lists of a grid file name, each with its settings from all their sources."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.core.errors import UserError, brief, suggestion
from bench.grid.cell import Choice
from bench.grid.condition import Stack, Variant
from bench.grid.limit import check_count
from bench.grid.plug_ins import TABLES
from bench.grid.scale import Scale
from bench.grid.stack import check_stack
from bench.grid.written import Written
from bench.grid.yaml_file import mapping, validate, within

Large = tuple[bool, bool]
"""Whether the images are so large that plug-ins take the settings of the ImageNet subset: at the scale, on paper."""
NO_DATA: Large = (False, False)


@dataclass(frozen=True)
class Sources:
    """The sources of every setting, weakest first: plug-in default, scale, grid file, the user's --set."""

    written: Written
    scale_where: str
    """What error messages call the scale."""
    scale: Scale
    user: Scale

    def as_on_paper(self) -> "Sources":
        """The same for images as large as on paper: radii stay as they are written."""
        return replace(self, scale=self.scale.model_copy(update={"multiply": {}}))

    def variants(self, group: str, items: Sequence[Any], large: Large, block: str = "") -> list[Variant]:
        """The plug-ins that a list of a grid file names, sweeps written out."""
        where = self.written.where(f"{block}{group}")
        return [
            variant for row, item in enumerate(items) for variant in self.one(group, item, f"{where}[{row}]", large)
        ]

    def one(self, group: str, item: Any, where: str, large: Large) -> Iterator[Variant]:
        """The plug-in that one entry names, sweeps written out; `where` is the place of the entry."""
        name, values = _entry(group, item, where)
        settings = TABLES[group][name]
        at_scale, at_paper = (dict(settings.large) if is_large else {} for is_large in large)
        defaults = {key: field.default for key, field in settings.model_fields.items() if not field.is_required()}
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
                    (
                        f"--set {group}.{name}",
                        self.user.settings(group, name, settings.model_fields.keys() - settings.idle),
                    ),
                ],
            )
            yield Variant(Choice(name, scaled), Choice(name, paper), tuple(written))

    def stacks(self, items: Sequence[Any], large: Large, block: str) -> list[Stack]:
        """The attacks that a list of a grid file names, those of a stack together, sweeps written out."""
        found: list[Stack] = []
        for row, item in enumerate(items):
            where = self.written.where(f"{block}attacks[{row}]")
            if item == []:
                raise UserError(f"{where}: an empty stack; write none for plain training")
            if isinstance(item, list):
                parts = [(part, f"{where}[{depth}]") for depth, part in enumerate(item)]
                layers = [list(self.one("attacks", *part, large)) for part in parts]
                check_stack([layer[0].choice for layer in layers], where)  # a sweep changes no attack's place
                check_count(math.prod(map(len, layers)), where)
                found += itertools.product(*layers)
            else:
                found += [(variant,) for variant in self.one("attacks", item, where, large)]
        return found


def _entry(group: str, item: Any, where: str) -> tuple[str, dict[str, Any]]:
    """Name and settings of one entry. Raises UserError for an unknown name or an empty sweep."""
    values = {"name": item} if isinstance(item, str) else dict(mapping(item, where))
    if "name" not in values:
        raise UserError(f"{where}: missing key 'name'{suggestion('', TABLES[group])}")
    name = values.pop("name")
    if not isinstance(name, str) or name not in TABLES[group]:
        word = group.removesuffix("s").replace("dataset", "data set")
        raise UserError(f"{where}: unknown {word} {brief(name)}{suggestion(str(name), TABLES[group])}")
    for key, value in values.items():
        if value == []:
            raise UserError(f"{within(where, key)}: a sweep must hold at least one value")
    return name, values
