"""What a grid file expands to: plug-ins at the chosen scale beside those on paper, and the places of a table."""

from dataclasses import dataclass
from typing import Any

from bench.core.settings import BARE, STACKED
from bench.grid.cell import Cell, Choice

CONTROL = "control"
"""The source of a method that is one."""


@dataclass(frozen=True)
class Variant:
    """A plug-in as a grid has it: settings at the chosen scale, those at paper scale, and which of them tables show."""

    choice: Choice[Any]
    paper: Choice[Any]
    shown: tuple[str, ...] = ()
    """Names of settings: those that the grid file writes, or in which a control differs."""
    added: bool = False
    """Whether it is there only as a control that the suite added: no setting of a user reaches it."""

    @property
    def label(self) -> str:
        """Its name in plans, which also `--only` takes: `pgd radius=8/255`."""
        values = self.choice.settings.model_dump(mode="json")
        return " ".join([self.choice.name, *(f"{key}={values[key]}" for key in self.shown)])

    @property
    def written(self) -> dict[str, Any]:
        """The settings that the grid file writes, at paper scale."""
        values = self.paper.settings.model_dump(mode="json")
        return {key: values[key] for key in self.shown}

    @property
    def title(self) -> str:
        """Its name in tables: `PGD 8/255`."""
        return in_words(self.choice, self.shown)

    @property
    def paper_title(self) -> str:
        """Its name at paper scale, with its radius also if the grid does not write it."""
        hidden = "radius" in type(self.paper.settings).model_fields and "radius" not in self.shown
        return in_words(self.paper, (*self.shown, *(["radius"] if hidden else [])))

    @property
    def hint(self) -> str:
        """What the paper has instead of the settings shown; empty if it has the same."""
        here, paper = (choice.settings.model_dump() for choice in (self.choice, self.paper))
        return ", ".join(self.paper.settings.phrase(key) for key in self.shown if here[key] != paper[key])


def in_words(choice: Choice[Any], shown: tuple[str, ...]) -> str:
    """A plug-in by its title, with settings as people say them: `REM, FGSM in the noise step`."""
    words = str(choice.settings.called(choice.name))
    for key in sorted(shown, key=lambda key: key not in BARE):
        words += (" " if key in BARE else ", ") + choice.settings.phrase(key)
    return words


Stack = tuple[Variant, ...]
"""Attacks in the order in which they act."""
Pair = tuple[Variant, Stack]
"""A method and what it meets."""


@dataclass(frozen=True)
class Condition:
    """One place of a table, with a cell for each victim of each noise: those of the first noise first."""

    dataset: Variant
    model: str
    paper_model: str
    method: Variant
    attacks: Stack
    cells: tuple[Cell, ...]
    own_controls: "tuple[Condition, ...]" = ()
    """The controls that its attacks name, those that the grid has."""
    measure: Variant | None = None
    """What is measured of each noise; there are no attacks then."""
    declined: str = ""
    """Which plug-in declines the data set or the victim, and why: there are no cells then."""

    @property
    def noises(self) -> int:
        """Noises among its cells, each with as many victims."""
        return len({cell.noise_seed for cell in self.cells})

    @property
    def attack_label(self) -> str:
        """The stack of attacks in the order of application."""
        return STACKED.join(attack.label for attack in self.attacks)

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
