"""Every condition against clean images, and against the controls that its attacks name."""

from collections.abc import Sequence
from dataclasses import replace

from analysis.estimates import Estimate, estimate
from analysis.results import ConditionResult


def against_clean(conditions: Sequence[ConditionResult]) -> list[ConditionResult]:
    """The same, with two more estimates: what the attack reaches on clean images, and the share of it reached here.

    They are `control_accuracy` and `recovered`, a ratio of means, both over the seeds that are finished here and there.
    """
    clean = {_opponent(condition): condition.accuracies for condition in conditions if condition.is_clean}
    return [replace(one, estimates=one.estimates | _shares(one, clean.get(_opponent(one), []))) for one in conditions]


def against_own_controls(conditions: Sequence[ConditionResult]) -> list[ConditionResult]:
    """The same, with one more estimate if an attack names a control: `gained`, the difference to its accuracy.

    If there are several it is that to the strongest; over the seeds that are finished here and there.
    """
    known = {(*_opponent(one), one.label["method"]): one.accuracies for one in conditions}
    return [replace(one, estimates=one.estimates | {"gained": _gained(one, known)}) for one in conditions]


def _gained(condition: ConditionResult, known: dict[tuple[str, ...], list[float | None]]) -> Estimate | None:
    dataset, model, _ = _opponent(condition)
    differences = []
    for method, attack in condition.own_controls:
        pairs = _finished_pairs(condition.accuracies, known.get((dataset, model, attack, method), []))
        differences.append(estimate([ours - theirs for ours, theirs in pairs]))
    return min((one for one in differences if one), key=lambda one: one.mean, default=None)


def _opponent(condition: ConditionResult) -> tuple[str, ...]:
    return condition.label["dataset"], condition.label["model"], condition.label["attack"]


def _shares(condition: ConditionResult, clean: list[float | None]) -> dict[str, Estimate | None]:
    both = _finished_pairs(condition.accuracies, clean)
    ours, control = estimate([pair[0] for pair in both]), estimate([pair[1] for pair in both])
    share = Estimate(ours.mean / control.mean, None, len(both)) if ours and control and control.mean else None
    return {"control_accuracy": control, "recovered": share}


def _finished_pairs(ours: list[float | None], theirs: list[float | None]) -> list[tuple[float, float]]:
    """Accuracies of the seeds that are finished in both."""
    return [(one, other) for one, other in zip(ours, theirs, strict=False) if one is not None and other is not None]
