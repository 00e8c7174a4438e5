"""Scales: named overlays that cut any grid down to a machine, and say in every record what they changed."""

import math
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bench.core.errors import UserError, brief, cut, suggestion
from bench.core.network_names import ModelName
from bench.core.settings import Count, Positive, Settings, is_number, parse_fraction
from bench.grid.plain_yaml import parse
from bench.grid.yaml_file import explain, mapping, read_mapping

Values = dict[str, Any]
EVERY = "*"
NAME = re.compile(r"\w[\w.-]*")
"""Of a scale: it is part of the names of files."""
GROUPS = ("datasets", "methods", "attacks", "measures")


class Scale(Settings):
    """What a scale changes, or a user with --set: the first yields to what a grid file writes, the second does not."""

    about: str = ""
    """One sentence for readers of a table, printed over it."""
    like: str | None = None
    """A scale that stands above this one: its values hold if this one has none."""
    dataset: str | None = None
    """The data set to use instead of those of a scalable grid."""
    model: ModelName | None = None
    """The victim to use instead of those of a scalable grid."""
    seeds: Count | None = None
    """The number of seeds to use instead of that of a scalable grid."""
    noise_seeds: Count | None = None
    """The number of noises to use instead of that of a scalable grid."""
    multiply: dict[str, Positive] = {}
    """Factors for settings by name, wherever they stand: `radius: 2`. They hold where a data set's images have another
    size than on paper. Whole numbers stay whole, and 0 stays 0, else they are at least 1."""
    datasets: dict[str, Values] = {}
    methods: dict[str, Values] = {}
    attacks: dict[str, Values] = {}
    measures: dict[str, Values] = {}
    """Settings by plug-in; those under `*` hold for every plug-in that has such a setting."""
    train: Values = {}
    """Settings of the victim's training."""

    def multiplied(self, values: Values) -> Values:
        """Settings written at paper scale, at this scale."""
        return {name: _times(value, self.multiply.get(name, 1.0)) for name, value in values.items()}

    def settings(self, group: str, name: str, fields: Collection[str]) -> Values:
        """What the scale sets for the plug-in `name`, with such `fields`, of datasets, methods, attacks or measures."""
        shared = {key: value for key, value in self.named(group, EVERY).items() if key in fields}
        return shared | self.named(group, name)

    def named(self, group: str, name: str) -> Values:
        """What it writes for `name` itself."""
        values: dict[str, Values] = getattr(self, group)
        return values.get(name, {})

    def changes(self) -> Values:
        """What it changes: without its description and without what it leaves alone."""
        return self.model_dump(mode="json", exclude_defaults=True, exclude={"about", "like"})


def check_names(
    scale: Scale, where: str, tables: Mapping[str, Mapping[str, type[Settings]]], train: type[Settings]
) -> None:
    """Raise UserError for a plug-in or a setting that no one has: it would have no effect."""
    known = {"train": set(train.model_fields)}
    for group, table in tables.items():
        known[group] = {key for settings in table.values() for key in settings.model_fields}
        for name, values in getattr(scale, group).items():
            if name != EVERY and name not in table:
                raise UserError(f"{where}{group}: unknown name {brief(name)}{suggestion(name, table)}")
            fields = known[group] if name == EVERY else set(table[name].model_fields)
            for key in values:
                if key not in fields:
                    raise UserError(f"{where}{group}.{name}: unknown key {brief(key)}{suggestion(key, sorted(fields))}")
    everything = sorted(set().union(*known.values()))
    for key in scale.multiply:
        if key not in everything:
            raise UserError(f"{where}multiply: unknown key {brief(key)}{suggestion(key, everything)}")


def _times(value: Any, factor: float) -> Any:
    if factor == 1:
        return value
    try:
        number = parse_fraction(value)
    except ValueError:
        return value  # the check that follows says what is wrong with it
    if not is_number(number) or number == 0:
        return value
    scaled = number * factor
    return max(1, round(scaled)) if isinstance(number, int) and math.isfinite(scaled) else scaled


def read_scales(file: Path) -> dict[str, Scale]:
    """All scales by name. Raises UserError if the file is missing or wrong."""
    scales: dict[str, Scale] = {}
    for name, values in read_mapping(file).items():
        if not NAME.fullmatch(name):
            raise UserError(f"{file}: {brief(name)}: the name of a scale has letters, digits, '.', '_' and '-' only")
        where = f"{file}: {name}"
        written = dict(mapping(values, where))
        like = written.get("like")
        if like is not None and not (isinstance(like, str) and like in scales):
            raise UserError(f"{where}.like: no scale above is called {brief(like)}{suggestion(str(like), scales)}")
        above = scales[like].model_dump(exclude_unset=True) if like is not None else {}
        try:
            scales[name] = Scale.model_validate(_merged(above, written))
        except ValidationError as error:
            raise explain(error, Scale.model_fields, where) from None
    return scales


def lineage(scales: Mapping[str, Scale], name: str) -> Iterator[str]:
    """The scale called `name`, the one that it is like, and so on."""
    following: str | None = name
    while following:
        yield following
        following = scales[following].like


def _merged(below: Values, above: Values) -> Values:
    """Both; where both have a value, that of `above`, mappings key by key."""
    both = {
        key: _merged(below[key], value) if isinstance(value, dict) and isinstance(below[key], dict) else value
        for key, value in above.items()
        if key in below
    }
    return below | above | both


def read_assignments(assignments: list[str]) -> Scale:
    """What a user wrote as `--set train.steps=2000 --set methods.sem.samples=3`: the same keys as in a scale."""
    values: Values = {}
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        *parents, last = path.split(".")
        if not equals or not all([*parents, last]) or len(parents) > 2:
            raise UserError(
                f"--set {cut(assignment)}: write KEY.KEY=VALUE, such as train.steps=2000 or methods.sem.samples=3"
            )
        node = values
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise UserError(f"--set {cut(assignment)}: {cut(parent)} is set to a value already")
        if not text:
            raise UserError(f"--set {cut(path)}: the value is empty")
        if last in node:
            raise UserError(f"--set {cut(path)}: is set twice")
        if path in GROUPS:
            other = " or dataset=NAME" if path == "datasets" else ""
            raise UserError(f"--set {path}: write {path}.NAME.KEY=VALUE{other}")
        node[last] = parse(text, f"--set {cut(path)}")
        if node[last] is None and path in ("dataset", "model", "seeds", "noise_seeds"):
            raise UserError(f"--set {path}: must not be null")
    for key in ("multiply", "about", "like"):
        if key in values:
            raise UserError(
                f"--set {cut(key)}: belongs to a scale; write the setting itself: methods.sem.radius=16/255"
            )
    try:
        return Scale.model_validate(values)
    except ValidationError as error:
        raise explain(error, Scale.model_fields, "--set") from None
