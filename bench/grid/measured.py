"""What a grid asks to be measured of each noise."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bench.grid.condition import Condition, Variant


def measured(conditions: Sequence[Condition], measures: Sequence[Variant]) -> Iterator[Condition]:
    """Each measure of each method of some conditions, with a cell for each noise."""
    methods = {one.method.choice: one for one in conditions if not one.declined}
    for one, measure in itertools.product(methods.values(), measures):
        reason = measure.choice.settings.declines(one.method.choice.settings)
        noises = {cell.noise_seed: cell for cell in one.cells}
        cells = [replace(cell, attacks=(), seed=0, measure=measure.choice) for cell in noises.values() if not reason]
        said = f"{measure.choice.name} of {one.method.choice.name}: {reason}" if reason else ""
        yield replace(one, attacks=(), cells=tuple(cells), measure=measure, declined=said)
