"""What decides a claim: two conditions, and how far the first is below its mark at the second."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from analysis.claims import EXTREMES, Comparison, Settings, Side
from analysis.numbers.differences import Difference, Runs, difference
from analysis.reading.conditions import ACCURACY, ConditionResult
from analysis.reading.published import equal, parse
from analysis.writing.sections import percent
from bench.store import Record

Conditions = Sequence[ConditionResult]


class Found(NamedTuple):
    """The two conditions that a comparison is of, and how far the first is below its mark."""

    low: ConditionResult
    high: ConditionResult
    difference: Difference

    @property
    def noises(self) -> int:
        """Of how many noises both sides are, at least; clean images have none."""
        return min((side.noises for side in (self.low, self.high) if not side.is_clean), default=1)


def evidence(one: Comparison, plans: Sequence[Conditions]) -> Found | None:
    """Both sides where most is known of them; None if no plan has finished both, or victims stayed at chance."""
    found = [
        Found(low, high, known)
        for conditions in plans
        for low in matching(one.low, conditions)
        for high in matching(one.high, conditions)
        if low.is_comparable and high.is_comparable
        if (known := _below(one, low.runs(ACCURACY), high.runs(one.quantity)))
    ]
    return max(found, key=lambda each: (each.noises, each.difference.count), default=None)


def is_planned(one: Comparison, plans: Sequence[Conditions]) -> bool:
    """Whether a plan has both sides, finished or not."""
    return any(matching(one.low, conditions) and matching(one.high, conditions) for conditions in plans)


def _below(one: Comparison, low: Runs, high: Runs) -> Difference | None:
    if not (low.whole and high.whole):
        return None
    mark = [None if value is None else one.share * value - one.margin for value in high.values]
    return difference(replace(high, values=mark, step=one.share * high.step), low)


def matching(side: Side, conditions: Conditions) -> list[ConditionResult]:
    """The conditions that a side names: of a setting that asks for the most or the least, those that have it."""
    found = [one for one in conditions if one.accuracies and _is(one, side)]
    for key, value in side.settings:
        if value in EXTREMES:
            found = _extreme(found, key, most=value == EXTREMES[0])
    return found


def _extreme(found: Sequence[ConditionResult], key: str, *, most: bool) -> list[ConditionResult]:
    """Of conditions that were written with a setting, those with its largest or its smallest value, if they differ."""
    written = [one for one in found if f" {key}=" in one.label["method"]]
    values = sorted({one.paper["method"][key] for one in written})
    return [one for one in written if one.paper["method"][key] == values[-1 if most else 0]] if values[1:] else []


def _is(one: ConditionResult, side: Side) -> bool:
    method, settings = one.paper["method"], dict(side.settings)
    _, written = parse(one.label["method"])[0]
    return (
        method["name"] == side.method
        and meets(one, side.attacks)
        and set(written) <= set(settings)
        and all(equal(method.get(key), str(value)) for key, value in settings.items() if value not in EXTREMES)
    )


def meets(one: ConditionResult, attacks: Sequence[tuple[str, Settings]]) -> bool:
    """Whether its attacks are these, with these settings and no other that its grid wrote."""
    own = one.paper["attacks"]
    return [attack["name"] for attack in own] == [name for name, _ in attacks] and all(
        set(written) <= set(settings) and all(equal(attack.get(key), str(value)) for key, value in settings.items())
        for attack, (_, written), (_, settings) in zip(own, parse(one.label["attack"]), attacks, strict=True)
    )


def words(one: Comparison, found: Found) -> str:
    """A comparison in a few words, with the paper's radii: which is below or above which, by how many points.

    What both sides have met stands once, before them. More than a share of the higher side is told as less than a
    share of the lower side; a margin stands behind.
    """
    low, high = (side.method.paper for side in (found.low, found.high))
    met, others = ("plain training" if side.is_plain else side.attack.paper for side in (found.low, found.high))
    if met != others:
        low, high = f"{low} ({met})", f"{high} ({others})"
    high += "" if one.quantity == ACCURACY else f" {one.quantity.replace('_', ' ')}"
    points = f"{100 * abs(one.margin):.0f} points"
    bar = f" ({points} {'needed' if one.margin > 0 else 'above allowed'})" if one.margin else ""
    mean, width, unit = found.difference.mean + one.margin, found.difference.half_width, max(one.share, 1.0)
    interval = "" if width is None else f" ± {percent(width / unit)}"
    by = f" by {percent(abs(mean) / unit)}{interval}{bar}"
    if one.share > 1:
        told = f"{high} {'above' if mean >= 0 else 'below'} {1 / one.share:.0%} of {low}{by}"
    else:
        mark = "" if one.share == 1 else f"{one.share:.0%} of "
        told = f"{low} {'below' if mean >= 0 else 'above'} {mark}{high}{by}"
    return f"{met}: {told}" if met == others else told


def numbers(one: Comparison, found: Found) -> Record:
    """A comparison in full: both sides with the paper's radii and as the plan writes them, shares in [0, 1]."""
    sides = {"low": found.low, "high": found.high}
    return {
        **{name: f"{side.method.paper} ({side.attack.paper})" for name, side in sides.items()},
        **{f"{name}_{part}": side.label[part] for name, side in sides.items() for part in ("method", "attack")},
        **{f"{name}_noises": side.noises for name, side in sides.items()},
        "high_quantity": one.quantity,
        "share": one.share,
        "margin": one.margin,
        "difference": found.difference.mean,
        "half_width": found.difference.half_width,
        "p": found.difference.p,
        "units": found.difference.count,
    }
