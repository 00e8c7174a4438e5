"""What the blocks of a grid file ask for: a method with the attacks that it meets, and how many noises of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.grid.cell import Choice
from bench.grid.condition import Pair, Stack, Variant
from bench.grid.controls import identity, own_controls
from bench.grid.plug_ins import ATTACKS, METHODS


@dataclass(frozen=True)
class Wanted:
    """A method with what it meets, as a block of a file asks for it."""

    method: Variant
    attacks: Stack
    noises: int
    methods_key: str
    """Where the method is written: `methods`, or `also[0].methods`."""
    attacks_key: str
    """Where the attacks are."""

    @property
    def pair(self) -> Pair:
        """What decides its cells, but for their seeds."""
        return self.method, self.attacks

    @property
    def place(self) -> tuple[Any, ...]:
        """The same for all that mean the same and name the same settings, in whatever order."""
        return identity(self.pair), *(frozenset(one.shown) for one in (self.method, *self.attacks))

    @property
    def drawn(self) -> int:
        """The noises that there are of the method."""
        return self.noises if self.method.choice.settings.draws else 1


def noises_of_own_controls(wanted: Sequence[Wanted]) -> dict[tuple[Choice[Any], ...], int]:
    """The noises of each control that an attack names: those of the pair that is read against it."""
    found: dict[tuple[Choice[Any], ...], int] = {}
    for one in wanted:
        for control in map(identity, own_controls(one.pair, METHODS, ATTACKS)):
            found[control] = max(one.noises, found.get(control, 0))
    return found
