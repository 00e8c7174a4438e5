"""What the records say of the paper's claims."""

import math
from collections.abc import Iterator, Sequence

from analysis.claims import CLAIMS, EXTREMES, Claim, Comparison, Place
from analysis.early_stopping import stopped
from analysis.estimates import Estimate, estimate_over_noises
from analysis.provenance import Chapter, Progress
from analysis.published import equal
from analysis.results import ConditionResult, Results
from analysis.sections import Entry, Section, percent, plain_table

Conditions = Sequence[ConditionResult]
HEAD = ("claim", "verdict", "comparisons")
NOT_RUN = "not run"
NOTE = (
    "A claim holds if every comparison that decides it has an interval on the claimed side, and does not hold if one "
    "has an interval on the other side. Intervals are 95 % Student intervals of paired differences: over noises if the "
    "records have several of both, else over victims of one noise, which says nothing of a second one. Differences are "
    "percent points."
)


def chapters(results: Sequence[Results]) -> Iterator[Chapter]:
    """One for each scale at which any claim can be decided."""
    unchanged = [one for one in results if not one.plan["set"]]
    for scale in dict.fromkeys(one.plan["scale"]["name"] for one in unchanged):
        plans = [one for one in unchanged if one.plan["scale"]["name"] == scale]
        rows = verdicts([stopped(one) for one in plans])
        if any(row[1].value != NOT_RUN for row in rows):
            yield Chapter(
                f"claims-{scale}",
                f"The paper's claims: what the records of scale {scale} say of them",
                "Each verdict is computed from the records of all grids of this scale. Radii are the paper's.",
                f"claims at scale {scale}",
                Progress(sum(one.count("finished") for one in plans), 0, 0),
                [],
                "",
                "",
                [Section("Verdicts", plain_table(HEAD, rows, words=(0, 1, 2)), context=f"scale {scale}", note=NOTE)],
            )


def verdicts(plans: Sequence[Conditions]) -> list[list[Entry]]:
    """A row for each claim, from the conditions of each plan."""
    return [_row(claim, plans) for claim in CLAIMS]


def _row(claim: Claim, plans: Sequence[Conditions]) -> list[Entry]:
    known = [(one, difference) for one in claim.comparisons if (difference := _difference(one, plans))]
    told = "; ".join(_words(one, difference) for one, difference in known)
    return [Entry(claim.text), Entry(_verdict([one for _, one in known], len(claim.comparisons))), Entry(told)]


def _verdict(differences: Sequence[Estimate], needed: int) -> str:
    """What so many differences say, each of which the claim wants to be above 0."""
    if not differences:
        return NOT_RUN
    widths = [math.inf if one.half_width is None else one.half_width for one in differences]
    ends = [(one.mean - width, one.mean + width) for one, width in zip(differences, widths, strict=True)]
    if any(high < 0 for _, high in ends):
        return "does not hold"
    return "holds" if len(ends) == needed and all(low > 0 for low, _ in ends) else "cannot be told"


def _difference(one: Comparison, plans: Sequence[Conditions]) -> Estimate | None:
    """How far `low` is below its mark, in the plan that knows most; None if no plan has finished both."""
    found = [
        (max(low.noises, high.noises), difference)
        for conditions in plans
        for low in _matching(one.low, conditions)[:1]
        for high in _matching(one.high, conditions)[:1]
        if (difference := _paired(one, low, high))
    ]
    return max(found, key=lambda pair: (pair[0], pair[1].count), default=(0, None))[1]


def _paired(one: Comparison, low: ConditionResult, high: ConditionResult) -> Estimate | None:
    """The difference over victims of the same seed; clean images have one set of victims for all noises."""
    count, noises = max(len(low.accuracies), len(high.accuracies)), max(low.noises, high.noises)
    pairs = [
        (a, b)
        for place in range(count)
        for a in [low.accuracies[place % len(low.accuracies)]]
        for b in [high.accuracies[place % len(high.accuracies)]]
    ]
    differences = [one.share * b - one.margin - a for a, b in pairs if a is not None and b is not None]
    return estimate_over_noises(differences, noises) if len(differences) == count else None


def _words(one: Comparison, difference: Estimate) -> str:
    mark = "" if one.share == 1 else f"{one.share:.0%} of "
    margin = f", {100 * abs(one.margin):.0f} points {'less' if one.margin > 0 else 'more'}," if one.margin else ""
    interval = "" if difference.half_width is None else f" ± {percent(difference.half_width)}"
    return f"{_called(one.low)} below {mark}{_called(one.high)}{margin} by {percent(difference.mean)}{interval}"


def _called(place: Place) -> str:
    settings = [f"{key.replace('_', ' ')} {value}" for key, value in place.settings]
    attacks = " + ".join(" ".join([name, *map(str, values.values())]) for name, values in place.attacks)
    return f"{', '.join([place.method, *settings])} ({attacks})".replace("_", " ")


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
