"""What conditions are read against: clean images, the controls that attacks name, and over which runs."""

from collections.abc import Sequence
from dataclasses import replace

from analysis.numbers.estimates import Estimate, estimate, estimate_over_noises, less_sure, ratio
from analysis.reading.conditions import ConditionResult
from bench.store import Record

PROTECTED = "protected"
"""The setting of partial poisoning: which share of the images is protected."""


def against_clean(conditions: Sequence[ConditionResult]) -> list[ConditionResult]:
    """The same, with two more estimates: what the attack reaches on clean images, and the share of it reached here.

    They are `control_accuracy` and `recovered`, a ratio of means, over the victims that are finished here and there.
    """
    clean = {_opponent(condition): condition for condition in conditions if condition.is_clean}
    return [_with_shares(one, clean.get(_opponent(one))) for one in conditions]


def against_own_controls(conditions: Sequence[ConditionResult]) -> list[ConditionResult]:
    """The same, with one more estimate if an attack names a control: `gained`, the difference to its accuracy.

    If there are several it is that to the strongest; over the victims that are finished here and there.
    """
    known = {(*_opponent(one), one.label["method"]): one for one in conditions}
    return [_with_gains(one, known) for one in conditions]


def answers_among(conditions: Sequence[ConditionResult]) -> list[ConditionResult]:
    """Those with an attack that a trainer can choose, and that is not there for others to be compared with."""
    compared = controls_among(conditions)
    return [one for one in conditions if not one.release and one.label["attack"] not in compared]


def over_common_runs(conditions: Sequence[ConditionResult]) -> list[ConditionResult]:
    """Those of one data set and model, each over the noises and victims that all attacks on its method have met."""
    fewest: dict[str, tuple[int, int]] = {}
    for one in conditions:
        if not one.declined:
            noises, victims = fewest.get(one.label["method"], (one.noises, one.victims))
            fewest[one.label["method"]] = min(noises, one.noises), min(victims, one.victims)
    return [one if one.declined else one.first(*fewest[one.label["method"]]) for one in conditions]


def controls_among(conditions: Sequence[ConditionResult]) -> set[str]:
    """The labels of those attacks that are there for others to be compared with."""
    return {attack for one in conditions for _, attack in one.own_controls}


def _with_gains(condition: ConditionResult, known: dict[tuple[str, ...], ConditionResult]) -> ConditionResult:
    dataset, model, _ = _opponent(condition)
    found: list[tuple[Estimate, list[float | None]]] = []
    for method, attack in condition.own_controls:
        pairs = _pairs(condition, known.get((dataset, model, attack, method)))
        points = [pair and pair[0] - pair[1] for pair in pairs]
        gained = estimate_over_noises(points, condition.noises)
        found += [(gained, points)] if gained else []
    least, points = min(found, key=lambda one: one[0].mean, default=(None, []))
    others = condition.others | {"gained": points}
    return replace(condition, estimates=condition.estimates | {"gained": least}, others=others)


def _opponent(condition: ConditionResult) -> tuple[str, ...]:
    return condition.label["dataset"], condition.label["model"], condition.label["attack"]


def _with_shares(condition: ConditionResult, clean: ConditionResult | None) -> ConditionResult:
    pairs = _pairs(condition, clean)
    control = estimate(list({seed % condition.victims: pair[1] for seed, pair in enumerate(pairs) if pair}.values()))
    ours, theirs = ([pair and pair[side] for pair in pairs] for side in (0, 1))
    share = less_sure(ratio, condition.noises, ours, theirs)
    if share and condition.is_clean:
        share = share.bare  # by definition, so there is no doubt
    found = {"control_accuracy": control, "recovered": share}
    others = condition.others | {"control_accuracy": theirs}
    return replace(condition, estimates=condition.estimates | found, others=others)


def _pairs(ours: ConditionResult, theirs: ConditionResult | None) -> list[tuple[float, float] | None]:
    """Each accuracy of ours beside theirs of the same victim seed and noise; None if one of them is not finished.

    All noises of ours are read against the same clean images.
    """
    found: list[tuple[float, float] | None] = []
    for place, one in enumerate(ours.accuracies):
        noise, seed = divmod(place, ours.victims)
        other = None
        if theirs and seed < theirs.victims and (theirs.is_clean or noise < theirs.noises):
            other = theirs.accuracies[seed + theirs.victims * (0 if theirs.is_clean else noise)]
        found.append(None if one is None or other is None else (one, other))
    return found


def controls_at(share: float, condition: ConditionResult, everyone: Sequence[ConditionResult]) -> list[tuple[str, str]]:
    """Training on the clean images of the validation set and on nothing else; none if no clean ones are held out.

    The attack itself names that of a validation set which is all clean. For a smaller share it is the same with more
    images protected, if the plan has it.
    """
    if share in (0, 1):
        return condition.own_controls if share else []
    here = {(one.label["method"], one.label["attack"]): one for one in everyone if one.place == condition.place}
    named = [(name, here[name].paper["attacks"]) for name in condition.own_controls if name in here]
    wanted = [
        (method, [_with_clean(share, attack) for attack in attacks])
        for (method, _), attacks in named
        if any(PROTECTED in attack for attack in attacks)
    ]
    return [name for name, one in here.items() if (name[0], one.paper["attacks"]) in wanted]


def _with_clean(share: float, attack: Record) -> Record:
    """An attack with only a share of its clean images, all the others protected."""
    if PROTECTED not in attack:
        return attack
    return attack | {PROTECTED: round(1 - share * (1 - attack[PROTECTED]), 9)}
