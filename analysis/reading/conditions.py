"""A condition: one place of a table, over its noises and victims."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from analysis.numbers.differences import Runs
from analysis.numbers.estimates import Estimate, estimate_over_noises
from analysis.reading.published import Published
from bench.store import Record

LABEL = ["dataset", "model", "method", "attack"]
"""What tells conditions apart, by the plan's names for them."""
ACCURACY, TO_THE_END = "final_accuracy", "to_the_end"
"""Quantities of a condition: what its victims reach, and what they would have without stopping early."""
PLAIN = "none"
"""Training without an attack, by its name in every plan."""
CLEAN = "clean"
"""The unprotected data set, by its name in every plan: what each attack reaches on it is what there is to recover."""


@dataclass(frozen=True)
class Words:
    """How people call a method or a stack of attacks."""

    title: str
    """At the scale of the plan."""
    paper: str = ""
    """At the paper's scale, every radius included."""
    hint: str = ""
    """What the paper has instead of the settings in the title; empty if it has the same."""


@dataclass(frozen=True)
class ConditionResult:
    """One place of a table, over its noises and victims. Accuracies are shares in [0, 1]."""

    label: dict[str, str]
    """What the plan calls it, by data set, model, method and attack."""
    method: Words
    """How people call its method."""
    attack: Words
    """How people call its stack of attacks."""
    control: bool
    """Whether nothing but chance protects here."""
    release: bool
    """Whether an attack decides what is released, which no trainer can."""
    assumes: list[str]
    """What its attacks need beyond the released images and their labels."""
    own_controls: list[tuple[str, str]]
    """Labels of method and attack of the controls that its attacks name."""
    paper: Record
    """Names and settings of the same condition at the paper's scale."""
    accuracies: list[float | None]
    """The final one of each victim; None if it is not finished."""
    statuses: Sequence[str]
    """Of each victim, in the same order: finished, collapsed if it never left chance, failed or missing."""
    estimates: dict[str, Estimate | None]
    """By column of the finished cells, such as `final_accuracy`; None if no cell has it."""
    published: list[Published]
    """The surest first."""
    held_out: bool = False
    """Whether some images only said when to stop, which these accuracies know nothing of: they are of the end."""
    noises: int = 1
    """Noises, each with as many victims; the accuracies of the first noise come first."""
    declined: str = ""
    """Why the method or the attack does not apply here, so that there are no cells."""
    others: dict[str, list[float | None]] = field(default_factory=dict)
    """Other quantities of each victim than the final accuracy, in the same order."""
    test_images: int | None = None
    """On how many images each victim was tested; None if nobody knows."""
    keys: Sequence[str] = ()
    """Of its cells, in the order of the accuracies."""
    made: Record = field(default_factory=dict)
    """Its method with the settings that its cells have; empty if there is no record."""

    @property
    def place(self) -> tuple[str, str]:
        """Its data set and model."""
        return self.label["dataset"], self.label["model"]

    @property
    def accuracy(self) -> Estimate | None:
        """The mean of the final ones; None if no victim is finished."""
        return self.estimates[ACCURACY]

    @property
    def interval_over(self) -> str:
        """Over what its interval is: there is none over noises if all victims have the same one."""
        if self.planned == 1 and self.test_images:
            return "test images of one victim"
        several = "noises or victim seeds" if self.victims > 1 else "noises"
        return several if self.noises > 1 else "victims" if self.is_clean else "victims of one noise"

    @property
    def victims(self) -> int:
        """Cells on each noise, one for each victim seed."""
        return self.planned // max(self.noises, 1)

    def runs(self, quantity: str) -> Runs:
        """The runs behind an estimate; without any if they are not kept."""
        known = self.accuracies if quantity == ACCURACY else self.others.get(quantity, [])
        return Runs(known, self.noises, step=1 / self.test_images if self.test_images else 0.0)

    def first(self, noises: int, victims: int) -> "ConditionResult":
        """The same over so many noises and victims, the first; of its estimates only that of the accuracy is left."""
        if (noises, victims) == (self.noises, self.victims):
            return self
        kept = [noise * self.victims + victim for noise in range(noises) for victim in range(victims)]
        accuracies = [self.accuracies[run] for run in kept]
        known = estimate_over_noises(accuracies, noises, self.test_images)
        return replace(
            self,
            noises=noises,
            accuracies=accuracies,
            statuses=[self.statuses[run] for run in kept],
            others={name: [values[run] for run in kept] for name, values in self.others.items() if values},
            keys=[self.keys[run] for run in kept if self.keys],
            estimates=dict.fromkeys(self.estimates) | {ACCURACY: known},
        )

    @property
    def planned(self) -> int:
        """Cells, one for each victim of each noise."""
        return len(self.accuracies)

    @property
    def finished(self) -> int:
        """Those with a result."""
        return sum(accuracy is not None for accuracy in self.accuracies)

    @property
    def is_comparable(self) -> bool:
        """Whether all its victims are finished and none stayed at chance: then accuracies say what protects."""
        return bool(self.accuracies) and self.finished == self.planned and not self.collapsed

    @property
    def collapsed(self) -> int:
        """Victims that never left chance."""
        return self.statuses.count("collapsed")

    @property
    def failed(self) -> int:
        """Cells that failed."""
        return self.statuses.count("failed")

    @property
    def missing(self) -> int:
        """Cells without a record."""
        return self.statuses.count("missing")

    @property
    def column_title(self) -> str:
        """Its attack's title over accuracies of the end."""
        return self.attack.title + (", to the end" if self.held_out else "")

    @property
    def is_clean(self) -> bool:
        """Whether the images are as they were."""
        return bool(self.paper["method"]["name"] == CLEAN)

    @property
    def is_plain(self) -> bool:
        """Whether the victim is trained without any attack."""
        return [attack["name"] for attack in self.paper["attacks"]] == [PLAIN]


def by_place(conditions: Iterable[ConditionResult]) -> dict[tuple[str, str], list[ConditionResult]]:
    """The conditions of each data set and model, in the plan's order."""
    places: dict[tuple[str, str], list[ConditionResult]] = {}
    for condition in conditions:
        places.setdefault(condition.place, []).append(condition)
    return places
