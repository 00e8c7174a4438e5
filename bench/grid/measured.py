"""What a grid asks to be measured of each noise."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from bench.core.data import Outline
from bench.core.errors import asked
from bench.grid.cell import Cell, Choice
from bench.grid.condition import Condition, Variant


def measured(conditions: Sequence[Condition], measures: Sequence[Variant], data: Outline) -> Iterator[Condition]:
    """Each measure of each method of some conditions on such data, with a cell for each noise.

    What a measure trains starts from the seed of the noise, so that the spread over noises holds that of training too.
    A method that is written in two ways, so that tables have two rows of it, has two conditions with the same cells.
    A measure that is written twice counts once, as it is written first.
    """
    methods = {(one.method.choice, frozenset(one.method.shown)): one for one in conditions if not one.declined}
    noises = defaultdict[Choice[Any], dict[int, Cell]](dict)
    for one in conditions:
        noises[one.method.choice] |= {cell.noise_seed: cell for cell in one.cells}
    different: dict[Choice[Any], Variant] = {}
    for measure in measures:
        different.setdefault(measure.choice, measure)
    for ((choice, _), one), measure in itertools.product(methods.items(), different.values()):
        with asked(f"whether {measure.choice.name} declines {choice.name}"):
            reason = measure.choice.settings.declines(data, choice.settings)
        met = [] if reason else noises[choice].values()
        cells = [replace(cell, attacks=(), seed=cell.noise_seed, measure=measure.choice) for cell in met]
        said = f"{measure.choice.name} of {choice.name}: {reason}" if reason else ""
        yield replace(one, attacks=(), cells=tuple(cells), measure=measure, declined=said)
