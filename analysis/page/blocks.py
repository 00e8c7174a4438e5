"""The sections of a chapter as a page shows them: tables of the same methods and attacks are views of one block."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.writing.sections import Section

VIEWS = {"Final accuracy": "accuracy", "Recovered": "recovered", "Gained": "gained", "Peak accuracy": "peak"}
"""How headings begin that are views of the same conditions, and what a reader chooses between."""


@dataclass(frozen=True)
class Block:
    """What is shown together: one section, or several of which a reader chooses one."""

    views: Sequence[tuple[str, Section]]
    """Each with the word for it."""

    @property
    def first(self) -> Section:
        """What is shown before anybody chooses."""
        return self.views[0][1]

    @property
    def folded(self) -> bool:
        """Whether a reader must ask for it."""
        return len(self.views) == 1 and self.first.folded


def blocks(sections: Sequence[Section]) -> list[Block]:
    """The sections in their order; a view stands where the first of its data set and model does."""
    found: dict[tuple[str, str], list[tuple[str, Section]]] = {}
    for section in sections:
        view = next((word for start, word in VIEWS.items() if section.heading.startswith(start)), "")
        found.setdefault(("views" if view else section.heading, section.context), []).append((view, section))
    return list(map(Block, found.values()))
