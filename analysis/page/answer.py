"""The answer of a report, which stands before any table: a ranking for each scale and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from analysis.drawing.curves import over_radius, over_training
from analysis.page.critical_difference import ranks_figure
from analysis.page.front import cost_figure
from analysis.page.ranking import Ranked, enough, ranking
from analysis.page.sentences import is_synthetic, limits, sentences
from analysis.reading.measures import TIMED, value
from analysis.reading.results import Results
from analysis.reading.stopping import stopped
from analysis.writing.provenance import Chapter, grouped
from analysis.writing.sections import Drawing, Section


@dataclass(frozen=True)
class Answer:
    """What the records of a scale say, shortest first."""

    scale: str
    about: str
    place: str
    """Data set and victim of the ranking; empty if no grid meets enough attacks."""
    plan: str
    """Name of the plan that it is computed from."""
    subject: str
    rows: Sequence[Ranked]
    """Controls first, then the strongest protection; those with missing cells last."""
    sentences: Sequence[str]
    verdicts: Section | None
    limits: Sequence[str]
    """What the numbers may not be used for."""
    settings: Sequence[str]
    """What the scale sets, a line for each plug-in."""
    pictures: Sequence[Drawing]
    trust: tuple[bool, bool, bool, float]
    """What scales are sorted by: enough complete rows, real images, several victims, images that a victim sees."""

    @property
    def is_timed(self) -> bool:
        """Whether it was measured how long a noise takes."""
        return any(row.seconds is not None for row in self.rows)

    @property
    def axis(self) -> tuple[int, int]:
        """Percent at which the axis of the ranking begins and ends: tens around all intervals."""
        lowest, highest = min(row.low for row in self.rows), max(row.high for row in self.rows)
        return min(90, 10 * int(10 * lowest)), min(100, 10 * (int(10 * highest) + 1))

    @property
    def ticks(self) -> range:
        """Percents that stand over the axis: few enough to be read."""
        low, high = self.axis
        return range(low, high + 1, 10 if high - low <= 50 else 20)

    def across(self, share: float) -> str:
        """Where an accuracy stands on the axis, in percent of its width."""
        low, high = self.axis
        return f"{100 * (100 * share - low) / (high - low):.2f}%"

    @property
    def reference(self) -> list[Ranked]:
        """Clean images and random noise, which the others are read against."""
        return [row for row in self.rows if row.control]


def answers(results: Sequence[Results], chapters: Mapping[str, Chapter]) -> list[Answer]:
    """One for each scale, the one to be trusted most first; plans that a user changed are left out.

    `chapters` has those of the plans and of the claims, by name.
    """
    unchanged = [one for one in results if not one.plan["set"]]
    scales = dict.fromkeys(one.plan["scale"]["name"] for one in unchanged)
    found = [
        _answer([one for one in unchanged if one.plan["scale"]["name"] == scale], chapters, scale) for scale in scales
    ]
    return sorted(found, key=lambda one: one.trust, reverse=True)


def _answer(plans: Sequence[Results], chapters: Mapping[str, Chapter], scale: str) -> Answer:
    ranked = [(one, rows) for one in plans if (rows := ranking(one, chapters[one.name]))]
    best, rows = max(ranked, key=lambda pair: _worth(pair[1]), default=(plans[0], []))
    claims = chapters.get(f"claims-{scale}")
    first = next((row.best for row in rows if row.best), None)
    timed = _timed(plans, first.place) if first else {}
    rows = [replace(row, seconds=timed.get(row.title)) for row in rows]
    return Answer(
        scale=scale,
        about=best.plan["scale"]["about"],
        place=", ".join(first.place) if first else "",
        plan=best.name,
        subject=chapters[best.name].subject,
        rows=rows,
        sentences=sentences(rows, best),
        verdicts=claims.sections[0] if claims else None,
        limits=limits(best, rows),
        settings=grouped(best.plan["scale"]["changes"]),
        pictures=_pictures(best, rows, plans),
        trust=(enough(rows), not is_synthetic(best, first.place if first else None), _victims(rows) > 1, _seen(best)),
    )


def _timed(plans: Sequence[Results], place: tuple[str, str]) -> dict[str, float]:
    """Seconds of making each method's noise, by its title, as `generation_time` measured them."""
    measured = [one for results in plans for one in results.measured if one.measure == TIMED and one.place == place]
    return {one.method.title: known.mean for one in measured if (known := value(one, "seconds"))}


def _pictures(best: Results, rows: Sequence[Ranked], plans: Sequence[Results]) -> list[Drawing]:
    """What the numbers of a scale look like."""
    ranked = [*ranks_figure(rows, stopped(best)), *cost_figure(rows)]
    return [*ranked, *over_radius(plans), *over_training(best)]


def _worth(rows: Sequence[Ranked]) -> tuple[bool, bool, int, int, float]:
    """Which of several plans of a scale to believe: enough complete rows, several victims, most attacks, most methods.

    A best response is worth what was tried; of plans that are alike in all that, the most victims count.
    """
    attacks = max((row.attacks for row in rows), default=0)
    return enough(rows), _victims(rows) > 1, attacks, len(rows), _victims(rows)


def _victims(rows: Sequence[Ranked]) -> float:
    """Of each method on average: of one alone no two methods can be told apart."""
    return fmean(row.best.planned if row.best else 0 for row in rows) if rows else 0.0


def _seen(results: Results) -> float:
    """Images that a victim trains on, repeated ones included; 0 without a record."""
    return max((recipe["steps"] * recipe["batch_size"] for recipe in results.recipes), default=0)
