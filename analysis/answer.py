"""The answer of a report, before any table: at each scale who is ahead, who cannot be told apart, and what undoes most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from analysis.caveats import interval_line, training_line
from analysis.claims import RECOVERED
from analysis.early_stopping import stopped
from analysis.estimates import Estimate, estimate_over_noises
from analysis.provenance import Chapter, grouped
from analysis.results import ConditionResult, Results
from analysis.sections import Section, percent
from analysis.tables import PLAIN, training_passes
from bench.store import Record

BEST = "-best-response"
"""How the file of a section of best responses is called."""
ENOUGH = 5
"""So many protecting methods with every attack finished make a scale worth to stand first."""
SYNTHETIC = "synthetic"
"""The data set that the suite draws itself, by its name."""
OR = " or "
"""What stands between attacks that share a best response."""


@dataclass(frozen=True)
class Ranked:
    """A method with its best response; accuracies are shares in [0, 1]."""

    title: str
    control: bool
    clean: bool
    attack: str
    accuracy: float
    half_width: float | None
    recovered: float | None
    plain: float | None
    """Its accuracy without an attack."""
    best: ConditionResult | None
    """Where its best response comes from."""
    missing: int
    """Cells of the method that have no result yet."""

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return max(0.0, self.accuracy - (self.half_width or 0))

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return min(1.0, self.accuracy + (self.half_width or 0))


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
    """Controls first, then the strongest protection."""
    sentences: Sequence[str]
    verdicts: Section | None
    limits: Sequence[str]
    """What the numbers may not be used for."""
    settings: Sequence[str]
    """What the scale changes, a line for each plug-in."""
    trust: tuple[bool, bool, float]
    """What scales are sorted by: enough complete rows, real images, images that a victim sees."""

    @property
    def top(self) -> float:
        """Where the axis of the ranking ends: a share in [0, 1]."""
        return min(1.0, (int(10 * max((row.high for row in self.rows), default=0.9)) + 1) / 10)

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
    ranked = [(one, rows) for one in plans if (rows := _ranking(one, chapters[one.name]))]
    best, rows = max(ranked, key=lambda pair: _worth(*pair), default=(plans[0], []))
    claims = chapters.get(f"claims-{scale}")
    first = next((row.best for row in rows if row.best), None)
    return Answer(
        scale=scale,
        about=best.plan["scale"]["about"],
        place=", ".join(first.place) if first else "",
        plan=best.name,
        subject=chapters[best.name].subject,
        rows=rows,
        sentences=_sentences(rows, best),
        verdicts=claims.sections[0] if claims else None,
        limits=_limits(best, rows),
        settings=grouped(best.plan["scale"]["changes"]),
        trust=(_complete(rows) >= ENOUGH, not _synthetic(best), _seen(best)),
    )


def _ranking(results: Results, chapter: Chapter) -> list[Ranked]:
    """A row for each method of the first data set and victim with best responses; [] if there are none."""
    numbers = next((section.numbers for section in chapter.sections if section.file == BEST), [])
    conditions = stopped(results)
    places = [(row["dataset"], row["model"]) for row in numbers]
    own = [row for row, place in zip(numbers, places, strict=True) if place == places[0]]
    return [_ranked(row, conditions) for row in own if row["free_accuracy"] is not None]


def _ranked(row: Record, conditions: Sequence[ConditionResult]) -> Ranked:
    here = [one for one in conditions if all(one.label[part] == row[part] for part in ("dataset", "model", "method"))]
    attack = row["free_attack"].split(OR)[0]
    return Ranked(
        title=row["title"],
        control=row["control"],
        clean=row["clean"],
        attack=row["free_attack"],
        accuracy=row["free_accuracy"],
        half_width=row["free_accuracy_half_width"],
        recovered=row["free_recovered"],
        plain=row["no_attack"],
        best=next((one for one in here if one.attack.title == attack), None),
        missing=sum(one.planned - one.finished for one in here if not one.declined),
    )


def _complete(rows: Sequence[Ranked]) -> int:
    """Protecting methods of which every cell is finished."""
    return sum(not row.control and not row.missing for row in rows)


def _worth(results: Results, rows: Sequence[Ranked]) -> tuple[bool, float, int]:
    """Which of several plans of a scale to believe: enough complete rows, most victims of each method, most methods."""
    return _complete(rows) >= ENOUGH, fmean(row.best.planned if row.best else 0 for row in rows), len(rows)


def _seen(results: Results) -> float:
    """Images that a victim trains on, repeated ones included; 0 without a record."""
    return max((recipe["steps"] * recipe["batch_size"] for recipe in results.recipes), default=0)


def _synthetic(results: Results) -> bool:
    return any(record["cell"]["dataset"]["name"] == SYNTHETIC for record in results.records)


def _sentences(rows: Sequence[Ranked], results: Results) -> list[str]:
    """Who is ahead, who cannot be told apart from it, and what undoes the most methods at what cost."""
    methods = [row for row in rows if not row.control]
    clean = next((row for row in rows if row.clean), None)
    if not methods:
        return []
    return [
        text for text in (_ahead(methods[0], clean), _not_told_apart(methods), _undoing(methods, clean, results)) if text
    ]


def _ahead(first: Ranked, clean: Ranked | None) -> str:
    below = f", {percent(clean.accuracy - first.accuracy)} points below clean images" if clean else ""
    return (
        f"{first.title} is ahead: a trainer who chooses the attack gets {percent(first.accuracy)} %"
        f"{below}, by {first.attack}."
    )


def _not_told_apart(methods: Sequence[Ranked]) -> str:
    """From the leader, by the 95 % interval of the paired difference."""
    first, *others = methods
    pairs = [(row.title, difference(first.best, row.best)) for row in others]
    known = [(title, one) for title, one in pairs if one]
    if any(one.half_width is None for _, one in known) or not known:
        return "With one victim of each no method can be told apart from another: differences of a few points mean nothing."
    close = [title for title, one in known if one.mean <= (one.half_width or 0)]
    if not close:
        return f"Every other method is told apart from it by its 95 % interval of paired differences ({len(known)} of them)."
    names = " and ".join(filter(None, [", ".join(close[:-1]), close[-1]]))
    verb = "is" if len(close) == 1 else "are"
    return f"{names} {verb} not told apart from it: 95 % intervals of the paired difference reach 0."


def difference(ours: ConditionResult | None, theirs: ConditionResult | None) -> Estimate | None:
    """How far theirs is above ours, over victims of the same seed; None if either has not finished as many."""
    if not ours or not theirs or len(ours.accuracies) != len(theirs.accuracies):
        return None
    pairs = zip(ours.accuracies, theirs.accuracies, strict=True)
    points = [None if a is None or b is None else b - a for a, b in pairs]
    return estimate_over_noises(points, ours.noises)


def _undoing(methods: Sequence[Ranked], clean: Ranked | None, results: Results) -> str:
    """The attack under which most methods leave what clean images would give, nearly."""
    if not clean:
        return ""
    titles = {row.title for row in methods}
    free = [one for one in stopped(results) if not (one.assumes or one.release or one.control)]
    undone: dict[str, set[str]] = {}
    labels = {one.attack.title: one.label["attack"] for one in free}
    for one in free:
        value = one.estimates["final_accuracy"]
        if one.method.title in titles and value and value.mean >= RECOVERED * clean.accuracy:
            undone.setdefault(one.attack.title, set()).add(one.method.title)
    plainly = undone.pop(next((title for title, label in labels.items() if label == PLAIN), ""), set())
    if not undone:
        return f"No attack brings any method back to {RECOVERED:.0%} of what clean images give."
    most = max(undone, key=lambda title: len(undone[title]))
    passes, plain = (training_passes(results.conditions, label) for label in (labels[most], PLAIN))
    cost = f", at {passes / plain:.1f} times the training cost" if passes and plain else ""
    return (
        f"{most} undoes most, {len(undone[most])} of {len(methods)} methods{cost}: it reaches {100 * RECOVERED:.0f} % of "
        f"the best on clean images. Plain training reaches that on {len(plainly) or 'none'} of them."
    )


def _limits(results: Results, rows: Sequence[Ranked]) -> list[str]:
    """Sentences on what the numbers of a plan may not be used for."""
    place = rows[0].best.place if rows and rows[0].best else None
    scale = results.plan["scale"]["name"]
    lines = ["They are no numbers to compare with published ones."] if scale != "paper" else []
    if _synthetic(results):
        lines.append("They are no evidence about photographs: the images are drawn by the suite.")
    lines += [interval_line(results)]
    missing = [row.title for row in rows if row.missing]
    if missing:
        lines.append(f"The rank of {', '.join(missing)} may still change: some of their cells have not finished.")
    lines += [line for line in ([training_line(results, place)] if place else []) if line]
    origins = {f"{one['provenance']['precision']} on {one['provenance']['device']}" for one in results.records}
    if len(origins) > 1:
        lines.append(f"Cells were computed in different ways: {'; '.join(sorted(origins))}.")
    return lines
