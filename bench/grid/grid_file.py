"""The keys of a grid file."""

from typing import Annotated, Any

from pydantic import Field

from bench.core.network_names import ModelName
from bench.core.settings import Count, Settings
from bench.grid.scale import Values

Items = Annotated[list[Any], Field(min_length=1)]


class Block(Settings):
    """Methods with attacks or noises of their own: conditions beside those of the whole grid, such as a control's."""

    methods: Items
    attacks: Items | None = None
    """What its methods meet, if not what those of the whole grid do."""
    noise_seeds: Count | None = None
    """Noises of each of its methods, if not as many as of those of the whole grid."""


class GridFile(Settings):
    """The keys of a grid file, written at paper scale. What they leave open, a scale may set.

    An entry is a name, or a mapping of `name` and settings; a list of values for a setting is a sweep.
    """

    title: str
    """What the table shows."""
    about: str = ""
    """What a reader should know, printed under the title."""
    like: str = ""
    """A grid whose keys hold where this file writes none: one beside it, or a name or a path as `run` takes it."""
    datasets: Items
    models: Annotated[list[ModelName], Field(min_length=1)]
    """Victims, such as resnet50, or resnet50/8 for an eighth of its width."""
    methods: Items
    attacks: Items
    """Each entry is one attack or a list of attacks: a stack, applied in that order."""
    measures: list[Any] = []
    """What is measured of each noise of each method, beside the accuracy of victims."""
    also: list[Values] = []
    """Blocks of `methods` that join the same tables, with `attacks` and `noise_seeds` of their own if they write any.
    What stands in several blocks has as many noises as the block with the most."""
    scalable: bool = False
    """Whether a scale may replace `datasets`, `models`, `seeds` and `noise_seeds` of this file; else they stand."""
    controls: bool = True
    """Whether to add what the results are read against: every attack on clean images, and on random noise."""
    train: Values = {}
    """Settings of the victim's training."""
    seeds: Count = 3
    """Victims trained on each noise, with seeds 0, 1, ..."""
    noise_seeds: Count = 1
    """Noises of each method, made with seeds 0, 1, ...; each has victims of its own."""
    at: dict[str, Values] = {}
    """Keys of this file that read differently at a scale, by the scale's name; no scale replaces these."""
