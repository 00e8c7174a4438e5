"""What a grid file expands to: plug-ins at the chosen scale beside those on paper, and the places of a table."""

from dataclasses import dataclass
from typing import Any

from bench.grid.cell import Cell, Choice

CONTROL = "control"
"""The source of a method that is one."""


@dataclass(frozen=True)
class Entry:
    """One plug-in of a grid: its settings at the chosen scale, those at paper scale, and its name in a table."""

    choice: Choice[Any]
    paper: Choice[Any]
    label: str

    @property
    def title(self) -> str:
        """How tables call a method or an attack."""
        return str(self.choice.settings.title) or self.choice.name.replace("_", " ")


Stack = tuple[Entry, ...]
"""Attacks in the order in which they act."""
Pair = tuple[Entry, Stack]
"""A method and what it meets."""


@dataclass(frozen=True)
class Condition:
    """One place of a table, with a cell for each seed."""

    dataset: Entry
    model: str
    paper_model: str
    method: Entry
    attacks: Stack
    cells: tuple[Cell, ...]
    own_controls: "tuple[Condition, ...]" = ()
    """The controls that its attacks name, those that the grid has."""
    declined: str = ""
    """Which plug-in declines the data set or the victim, and why: there are no cells then."""

    @property
    def attack_label(self) -> str:
        """The stack of attacks in the order of application."""
        return " + ".join(attack.label for attack in self.attacks)

    @property
    def is_control(self) -> bool:
        """Whether nothing but chance protects here."""
        return bool(self.method.choice.settings.source == CONTROL)

    @property
    def is_release(self) -> bool:
        """Whether some attack decides what is released, which no trainer can."""
        return any(attack.choice.settings.comes_first for attack in self.attacks)

    @property
    def assumes(self) -> list[str]:
        """What its attacks need beyond the released images and their labels, in alphabetical order."""
        return sorted({need for attack in self.attacks for need in attack.choice.settings.assumes})
