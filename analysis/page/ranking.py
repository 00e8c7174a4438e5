"""Methods by their best response, as the answer of a report ranks them."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.claims import RECOVERED
from analysis.reading.conditions import ConditionResult
from analysis.reading.league import FILE, condition_of
from analysis.reading.results import Results
from analysis.reading.stopping import stopped
from analysis.writing.provenance import Chapter
from bench.store import Record

ENOUGH = 5
"""So many protecting methods with every cell finished, and half of all, make a scale worth to stand first."""


@dataclass(frozen=True)
class Ranked:
    """A method with its best response; accuracies are shares in [0, 1]."""

    title: str
    control: bool
    clean: bool
    attack: str
    accuracy: float
    half_width: float | None
    low: float
    high: float
    """The ends of its interval; the accuracy itself without one."""
    recovered: float | None
    plain: float | None
    """Its accuracy without an attack."""
    best: ConditionResult | None
    """Where its best response comes from."""
    missing: bool
    """Whether attacks on it are missing, so that its accuracy is only a lower bound."""
    tried: int
    """How many attacks are finished on it."""
    attacks: int
    """How many there are."""
    passes: float | None
    """What its noise costs, in passes of 128 images; None if no record says."""
    group: int | None
    """Methods of one group cannot be told from its first one; None if nothing was tested."""
    seconds: float | None = None
    """How long making its noise takes, if that was measured."""


def ranking(results: Results, chapter: Chapter) -> list[Ranked]:
    """A row for each method of the first data set and victim with best responses; [] if there are none."""
    numbers = next((section.numbers for section in chapter.sections if section.file == FILE), [])
    conditions = stopped(results)
    places = [(row["dataset"], row["model"]) for row in numbers]
    own = [row for row, place in zip(numbers, places, strict=True) if place == places[0]]
    return [_ranked(row, conditions) for row in own if row["free_accuracy"] is not None]


def enough(rows: Sequence[Ranked]) -> bool:
    """Whether enough methods have every cell."""
    methods = [row for row in rows if not row.control]
    complete = sum(not row.missing for row in methods)
    return complete >= ENOUGH and 2 * complete >= len(methods)


def breaks(one: ConditionResult, clean: Ranked) -> bool:
    """Whether victims under an attack reach nearly what the best attack reaches on clean images."""
    value = one.accuracy
    return value is not None and value.mean >= RECOVERED * clean.accuracy


def _ranked(row: Record, conditions: Sequence[ConditionResult]) -> Ranked:
    best = condition_of(row, row["free_attack"], conditions)
    cost = best.estimates.get("noise_passes") if best else None
    accuracy, *ends = (row[f"free_accuracy{part}"] for part in ("", "_low", "_high"))
    low, high = (accuracy if end is None else end for end in ends)
    return Ranked(
        title=row["title"],
        control=row["control"],
        clean=row["clean"],
        attack=row["free_attack"],
        accuracy=accuracy,
        half_width=row["free_accuracy_half_width"],
        low=low,
        high=high,
        recovered=row["free_recovered"],
        plain=row["no_attack"],
        best=best,
        missing=not row["free_complete"],
        tried=row["free_tried"],
        attacks=row["free_attacks"],
        passes=cost.mean if cost else None,
        group=row["group"],
    )
