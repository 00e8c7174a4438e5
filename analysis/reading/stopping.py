"""Conditions with early stopping, read as a trainer would have stopped: one for each clean share that there may be."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from analysis.numbers.estimates import estimate_over_noises
from analysis.reading.conditions import TO_THE_END, ConditionResult
from analysis.reading.controls import against_clean, against_own_controls, controls_at
from analysis.reading.results import Results
from bench.store import Record

PAPER_STEPS = 40_000
"""Of the training that patience is written for; a shorter one takes the same shares of its own."""
PLANS = 64
"""So many plans' conditions are kept at most."""
CLEAN_IMAGES = "clean images"
"""The assumption of a validation set with clean images."""
CLEAN_SHARES = (0.0, 0.1, 0.3, 0.5, 0.7, 1.0)
"""Of the validation images; a trainer without clean images has 0."""
STOPPING = "early_stopping"
"""The attack that has a validation set, by its name in every plan."""
COSTS = ("noise_", "train_passes", "train_seconds")
"""How the names of estimates begin that stopping does not change: training is timed to its end."""


@dataclass(frozen=True)
class Stopping:
    """Where one training stops, and the test accuracies (shares in [0, 1]) there and at the look it goes back to."""

    step: int
    stopped_accuracy: float
    restored_step: int
    restored_accuracy: float


def stopping(history: Record, patience: float, clean_share: float) -> Stopping:
    """Stop at the first look that comes `patience` steps or more after the best so far, else at the last one.

    The best is the earliest of those with most right predictions on the validation set. Raises ValueError for a
    `clean_share` that is no whole number of its parts.
    """
    steps, test = history["step"], history["test_accuracy"]
    right = _right(history, clean_share)
    best = look = 0
    for look in range(len(steps)):
        if right[look] > right[best]:
            best = look
        if steps[look] - steps[best] >= patience:
            break
    return Stopping(steps[look], test[look], steps[best], test[best])


def _right(history: Record, clean_share: float) -> list[int]:
    """Right predictions at each look where the first parts of the validation set are clean and the others protected."""
    clean, protected = history["validation_clean"], history["validation_protected"]
    count = _clean_parts(history, clean_share)
    if count is None:
        raise ValueError(f"a clean share of {clean_share:g} is no whole number of {len(clean[0])} parts")
    return [sum(ours[:count]) + sum(theirs[count:]) for ours, theirs in zip(clean, protected, strict=True)]


def _clean_parts(history: Record, clean_share: float) -> int | None:
    count = clean_share * len(history["validation_clean"][0])
    return round(count) if abs(count - round(count)) < 1e-9 else None


@lru_cache(maxsize=PLANS)
def stopped(results: Results) -> list[ConditionResult]:
    """The conditions, of which those with early stopping are one for each clean share, with restored accuracies.

    Training goes on to its end, as that of every other attack. Every share but 0 assumes clean images. Those of the
    plans of a report are kept, because several studies and its answer read them.
    """
    found: list[ConditionResult] = []
    every = list(trainings(results))
    known = {condition.label["attack"]: shares for condition, _, shares in every if shares}
    for condition, own, shares in every:
        # A method without any result, or that does not apply, has the columns of the others, and nothing in them.
        columns = shares or known.get(condition.label["attack"], [])
        found += [
            replace(_at_share(condition, own, share), own_controls=controls_at(share, condition, results.conditions))
            for share in columns
        ] or [condition]
    return against_own_controls(against_clean(found))


def left_out(results: Results) -> list[str]:
    """What a reader who does not want clean images misses, by title."""
    if CLEAN_IMAGES not in results.left_out:
        return []
    attacks = dict.fromkeys(condition.attack.title for condition, own, _ in trainings(results) if any(own))
    return [f"{attack} with clean images" for attack in attacks]


def trainings(results: Results) -> Iterator[tuple[ConditionResult, list[Record | None], list[float]]]:
    """Each condition, the history of each of its cells, and the clean shares that can be read from these.

    A history is None if its cell is not finished or has no validation set.
    """
    histories = _histories(results)
    for place, condition in zip(results.plan["conditions"], results.conditions, strict=True):
        own = [histories.get(key) for key in place["cells"]]
        yield condition, own, _shares(results, [history for history in own if history])


def _shares(results: Results, histories: list[Record]) -> list[float]:
    """The clean shares that the parts of every validation set can make, and that the reader has not left out."""
    if not histories:
        return []
    possible = [share for share in CLEAN_SHARES if all(_clean_parts(one, share) is not None for one in histories)]
    return [share for share in possible if not share or CLEAN_IMAGES not in results.left_out]


def _at_share(condition: ConditionResult, histories: list[Record | None], share: float) -> ConditionResult:
    accuracies = [stop(history, PAPER_STEPS, share).restored_accuracy if history else None for history in histories]
    words, attack = f", {100 * share:g} % clean", condition.attack
    return replace(
        condition,
        label=condition.label | {"attack": condition.label["attack"] + words},
        attack=replace(attack, title=attack.title + words, paper=attack.paper + words),
        paper=condition.paper | {"attacks": [_with_share(one, share) for one in condition.paper["attacks"]]},
        assumes=sorted({*condition.assumes, CLEAN_IMAGES}) if share else condition.assumes,
        accuracies=accuracies,
        held_out=False,
        estimates={name: known for name, known in condition.estimates.items() if name.startswith(COSTS)}
        | {"final_accuracy": estimate_over_noises(accuracies, condition.noises, condition.test_images)},
        others={TO_THE_END: condition.accuracies},
    )


def _with_share(attack: Record, share: float) -> Record:
    """An attack at the paper's scale, with the clean share of its validation set if it has one."""
    return attack | {"clean_share": share} if attack["name"] == STOPPING else attack


def _histories(results: Results) -> dict[str, Record]:
    """Those with a validation set, by the keys of their cells."""
    return {
        record["key"]: record["history"]
        for record in results.records
        if record.get("history", {}).get("validation_clean") is not None
    }


def stop(history: Record, patience: int, clean_share: float) -> Stopping:
    """Where a patience written in the paper's steps stops a training, whatever its length."""
    return stopping(history, patience * history["step"][-1] / PAPER_STEPS, clean_share)
