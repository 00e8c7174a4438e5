"""What the records say of the paper's claims."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from analysis.claims import CLAIMS, EXTREMES, Claim, Comparison, Place
from analysis.differences import LEVEL, Difference, Runs, difference, holm
from analysis.early_stopping import stopped
from analysis.provenance import Chapter, Progress
from analysis.published import equal
from analysis.results import ConditionResult, Results, by_place
from analysis.sections import Entry, Section, percent, plain_table

Conditions = Sequence[ConditionResult]
HEAD = ("claim", "verdict", "comparisons")
NOT_RUN = "not run"
NOTE = (
    "Each claim is decided on one data set, with one network. It holds if every comparison that decides it has an "
    "interval on the claimed side. It does not hold if one is on the other side by a test at 5 %, Holm-corrected "
    "for the number of comparisons. Intervals are 95 % Student intervals of paired differences: over noises if both "
    "sides have as many, else over victims of one noise, which says nothing of a second one. Sides with different "
    "numbers of noises are compared unpaired (Welch). Differences are percent points."
)


def chapters(results: Sequence[Results]) -> Iterator[Chapter]:
    """One for each scale at which any claim can be decided."""
    unchanged = [one for one in results if not one.plan["set"]]
    for scale in dict.fromkeys(one.plan["scale"]["name"] for one in unchanged):
        plans = [one for one in unchanged if one.plan["scale"]["name"] == scale]
        first, *others = verdicts([stopped(one) for one in plans])
        if any(row[1].value != NOT_RUN for row in first.rows):
            yield Chapter(
                f"claims-{scale}",
                f"The paper's claims: what the records of scale {scale} say of them",
                "Each verdict is computed from the records of all grids of this scale. Radii are the paper's.",
                f"claims at scale {scale}",
                Progress(
                    len({cell["key"] for one in plans for cell in one.cells if cell["status"] == "finished"}), 0, 0
                ),
                [],
                "",
                "",
                [
                    replace(_section(first, "Verdicts", scale), note=NOTE),
                    *(_section(one, "Verdicts elsewhere", scale) for one in others),
                ],
            )


class Verdicts(NamedTuple):
    """What one data set with one network says of the claims."""

    place: tuple[str, str]
    rows: list[list[Entry]]


def verdicts(plans: Sequence[Conditions]) -> list[Verdicts]:
    """A row for each claim at the place that decides most comparisons, then at the others for what they decide whole.

    A claim is never decided with numbers of several places: what holds on one data set need not on another.
    """
    split = [by_place(conditions) for conditions in plans]
    at = {place: [one[place] for one in split if place in one] for one in split for place in one}
    known = {place: [_known(claim, here) for claim in CLAIMS] for place, here in at.items()}
    first, *others = sorted(known, key=lambda place: -sum(map(len, known[place]))) or [("", "")]
    found = [Verdicts(first, list(map(_row, CLAIMS, known.get(first, [()] * len(CLAIMS)))))]
    for place in others:
        decided = [(claim, each) for claim, each in zip(CLAIMS, known[place], strict=True) if _is_whole(claim, each)]
        found.append(Verdicts(place, [_row(claim, each) for claim, each in decided]))
    return [one for one in found if one.rows]


def _section(one: Verdicts, heading: str, scale: str) -> Section:
    dataset, model = one.place
    return Section(
        heading, plain_table(HEAD, one.rows, words=(0, 1, 2)), context=f"{model} on {dataset}, scale {scale}"
    )


class Found(NamedTuple):
    """The two conditions that a comparison is of, and how far the first is below its mark."""

    low: ConditionResult
    high: ConditionResult
    difference: Difference


Known = Sequence[tuple[Comparison, Found]]


def _known(claim: Claim, plans: Sequence[Conditions]) -> Known:
    """The comparisons of a claim that some plan has finished."""
    return [(one, found) for one in claim.comparisons if (found := _found(one, plans))]


def _is_whole(claim: Claim, known: Known) -> bool:
    return len(known) == len(claim.comparisons)


def _row(claim: Claim, known: Known) -> list[Entry]:
    told = "; ".join(_words(one, found) for one, found in known)
    differences = [found.difference for _, found in known]
    return [Entry(claim.text), Entry(_verdict(differences, len(claim.comparisons))), Entry(told)]


def _verdict(differences: Sequence[Difference], needed: int) -> str:
    """What so many differences say, each of which the claim wants to be above 0.

    One of many is below 0 by chance more often than in one of twenty, so that is corrected; all above 0 are not.
    """
    if not differences:
        return NOT_RUN
    found = [one.p for one in differences]
    below = zip(differences, holm(found), strict=True)
    if any(one.mean < 0 and p is not None and p < LEVEL for one, p in below):
        return "does not hold"
    above = [one.mean > 0 and p is not None and p < LEVEL for one, p in zip(differences, found, strict=True)]
    return "holds" if len(above) == needed and all(above) else "cannot be told"


def _found(one: Comparison, plans: Sequence[Conditions]) -> Found | None:
    """Both sides in the plan that knows most; None if no plan has finished both."""
    found = [
        Found(low, high, known)
        for conditions in plans
        for low in _matching(one.low, conditions)[:1]
        for high in _matching(one.high, conditions)[:1]
        if (known := _below(one, low.runs("final_accuracy"), high.runs("final_accuracy")))
    ]
    return max(found, key=lambda each: (max(each.low.noises, each.high.noises), each.difference.count), default=None)


def _below(one: Comparison, low: Runs, high: Runs) -> Difference | None:
    if not (low.whole and high.whole):
        return None
    mark = [None if value is None else one.share * value - one.margin for value in high.values]
    return difference(Runs(mark, high.noises), low)


def _words(one: Comparison, found: Found) -> str:
    mark = "" if one.share == 1 else f"{one.share:.0%} of "
    margin = f", {100 * abs(one.margin):.0f} points {'less' if one.margin > 0 else 'more'}," if one.margin else ""
    width = found.difference.half_width()
    interval = "" if width is None else f" ± {percent(width)}"
    low, high = (f"{side.method.paper} ({side.attack.paper})" for side in (found.low, found.high))
    return f"{low} below {mark}{high}{margin} by {percent(found.difference.mean)}{interval}"


def _matching(place: Place, conditions: Conditions) -> list[ConditionResult]:
    """The conditions that a place names: of a setting that asks for the most or the least, those that have it."""
    found = [one for one in conditions if one.accuracies and _is(one, place)]
    for key, value in place.settings:
        if value in EXTREMES:
            found = _extreme(found, key, most=value == EXTREMES[0])
    return found


def _extreme(found: Sequence[ConditionResult], key: str, *, most: bool) -> list[ConditionResult]:
    """Of conditions that were written with a setting, those with its largest or its smallest value, if they differ."""
    written = [one for one in found if f" {key}=" in one.label["method"]]
    values = sorted({one.paper["method"][key] for one in written})
    return [one for one in written if one.paper["method"][key] == values[-1 if most else 0]] if values[1:] else []


def _is(one: ConditionResult, place: Place) -> bool:
    method, attacks = one.paper["method"], one.paper["attacks"]
    if method["name"] != place.method or [attack["name"] for attack in attacks] != [name for name, _ in place.attacks]:
        return False
    settings = dict(place.settings)
    written = [part.partition("=")[0] for part in one.label["method"].split(" ")[1:]]
    return (
        set(written) <= set(settings)
        and all(equal(method.get(key), str(value)) for key, value in settings.items() if value not in EXTREMES)
        and all(
            equal(attack.get(key), str(value))
            for attack, (_, values) in zip(attacks, place.attacks, strict=True)
            for key, value in values.items()
        )
    )
