"""The best of several attacks on one method, chosen by some seeds and valued by others."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from analysis.differences import Runs
from analysis.estimates import Estimate, estimate, ratio
from analysis.results import ConditionResult

QUANTITY = "final_accuracy"


@dataclass(frozen=True)
class Response:
    """What the best of the attacks on one method reaches. Accuracies are shares in [0, 1]."""

    tried: int
    """Attacks with all their victims finished."""
    attacks: int
    """Attacks that apply."""
    chosen: tuple[str, ...] = ()
    """Titles of the attacks that were chosen, the most frequent first."""
    assumes: tuple[str, ...] = ()
    """What the most frequent of them needs."""
    accuracy: Estimate | None = None
    """Of the chosen attacks on seeds that did not choose them; with a single seed on that one."""
    uncorrected: float | None = None
    """The highest mean over all seeds, which luck lifts."""
    recovered: Estimate | None = None
    """The share of what the chosen attacks reach on clean images, on the same seeds."""
    runs: Runs = field(default_factory=lambda: Runs(()))
    """The accuracy on each seed: a noise, if there are several, else a victim."""

    @property
    def complete(self) -> bool:
        """Whether every attack was tried: else the accuracy is only a lower bound."""
        return self.tried == self.attacks

    @property
    def correction(self) -> float | None:
        """What choosing on other seeds takes off; None with a single seed, which cannot tell."""
        if self.uncorrected is None or self.accuracy is None or len(self.runs.units) < 2:
            return None
        return self.accuracy.mean - self.uncorrected


def best_response(conditions: Sequence[ConditionResult], attacks: int) -> Response:
    """The best response to one method, of so many `attacks` that there are.

    For each seed the attack is the best on the mean of the other seeds. A trained victim that never left chance is
    left out with its attack, which counts as tried. Without any attack that has all its victims, the best of the
    unfinished ones is told, uncorrected.
    """
    own = [one for one in conditions if not one.declined]
    tried = [one for one in own if one.runs(QUANTITY).whole]
    attacks -= sum(bool(one.declined) for one in conditions)
    usable = [one for one in tried if not one.collapsed]
    rows = [one.runs(QUANTITY).units for one in usable]
    if not usable:
        return _unfinished([one for one in own if one.finished and not one.collapsed], len(tried), attacks)
    if len(rows[0]) == 1:
        return _single(usable, len(tried), attacks)
    means = [fmean(row) for row in rows]
    choices = [_choice(rows, seed) for seed in range(len(rows[0]))]
    often = [usable[place] for place, _ in Counter(choices).most_common()]
    held_out = [rows[place][seed] for seed, place in enumerate(choices)]
    return Response(
        len(tried),
        attacks,
        tuple(dict.fromkeys(one.attack.title for one in often)),
        tuple(often[0].assumes),
        estimate(held_out),
        max(means),
        _recovered(usable, choices, held_out),
        Runs(held_out, len(held_out) if usable[0].noises > 1 else 1),
    )


def _choice(rows: Sequence[Sequence[float]], seed: int) -> int:
    """The place of the attack that is best on the mean of all seeds but one; the first of several."""
    others = [fmean([*row[:seed], *row[seed + 1 :]]) for row in rows]
    return others.index(max(others))


def _recovered(usable: Sequence[ConditionResult], choices: Sequence[int], held_out: list[float]) -> Estimate | None:
    clean = [one.runs("control_accuracy") for one in usable]
    if not all(clean[place].whole for place in choices):
        return None
    found = ratio(held_out, [clean[place].units[seed] for seed, place in enumerate(choices)])
    return Estimate(found.mean, None, found.count) if found and usable[0].is_clean else found


def _single(usable: Sequence[ConditionResult], tried: int, attacks: int) -> Response:
    """Of one seed, which chooses and values: all attacks that share the highest accuracy."""
    means = [one.runs(QUANTITY).mean for one in usable]
    best = [one for one, mean in zip(usable, means, strict=True) if mean == max(means)]
    first = best[0]
    return Response(
        tried,
        attacks,
        tuple(one.attack.title for one in best),
        tuple(first.assumes),
        first.estimates[QUANTITY],
        max(means),
        first.estimates.get("recovered"),
        Runs(first.runs(QUANTITY).units),
    )


def _unfinished(conditions: Sequence[ConditionResult], tried: int, attacks: int) -> Response:
    found = [(value.mean, one, value) for one in conditions if (value := one.estimates[QUANTITY])]
    if not found:
        return Response(tried, attacks)
    mean, one, value = max(found, key=lambda each: each[0])
    share = one.estimates.get("recovered")
    return Response(tried, attacks, (one.attack.title,), tuple(one.assumes), value, mean, share)
