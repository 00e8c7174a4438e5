"""Every condition against clean images, and against the controls that its attacks name."""

from collections.abc import Sequence
from dataclasses import replace

from analysis.estimates import Estimate, estimate, estimate_over_noises
from analysis.results import ConditionResult


def against_clean(conditions: Sequence[ConditionResult]) -> list[ConditionResult]:
    """The same, with two more estimates: what the attack reaches on clean images, and the share of it reached here.

    They are `control_accuracy` and `recovered`, a ratio of means, over the victims that are finished here and there.
    """
    clean = {_opponent(condition): condition for condition in conditions if condition.is_clean}
    return [replace(one, estimates=one.estimates | _shares(one, clean.get(_opponent(one)))) for one in conditions]


def against_own_controls(conditions: Sequence[ConditionResult]) -> list[ConditionResult]:
    """The same, with one more estimate if an attack names a control: `gained`, the difference to its accuracy.

    If there are several it is that to the strongest; over the victims that are finished here and there.
    """
    known = {(*_opponent(one), one.label["method"]): one for one in conditions}
    return [replace(one, estimates=one.estimates | {"gained": _gained(one, known)}) for one in conditions]


def _gained(condition: ConditionResult, known: dict[tuple[str, ...], ConditionResult]) -> Estimate | None:
    dataset, model, _ = _opponent(condition)
    differences = []
    for method, attack in condition.own_controls:
        pairs = _pairs(condition, known.get((dataset, model, attack, method)))
        points = [pair and pair[0] - pair[1] for pair in pairs]
        differences.append(estimate_over_noises(points, condition.noises))
    return min((one for one in differences if one), key=lambda one: one.mean, default=None)


def _opponent(condition: ConditionResult) -> tuple[str, ...]:
    return condition.label["dataset"], condition.label["model"], condition.label["attack"]


def _shares(condition: ConditionResult, clean: ConditionResult | None) -> dict[str, Estimate | None]:
    pairs = _pairs(condition, clean)
    ours = estimate_over_noises([pair and pair[0] for pair in pairs], condition.noises)
    control = estimate(list({seed % condition.victims: pair[1] for seed, pair in enumerate(pairs) if pair}.values()))
    share = Estimate(ours.mean / control.mean, None, ours.count) if ours and control and control.mean else None
    return {"control_accuracy": control, "recovered": share}


def _pairs(ours: ConditionResult, theirs: ConditionResult | None) -> list[tuple[float, float] | None]:
    """Each accuracy of ours beside theirs of the same victim seed, and of the same noise if they have as many.

    None if one of them is not finished.
    """
    found: list[tuple[float, float] | None] = []
    for place, one in enumerate(ours.accuracies):
        noise, seed = divmod(place, ours.victims)
        other = None
        if theirs and seed < theirs.victims:
            other = theirs.accuracies[seed + theirs.victims * (noise if theirs.noises == ours.noises else 0)]
        found.append(None if one is None or other is None else (one, other))
    return found
