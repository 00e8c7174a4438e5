"""The best of several attacks on one method, chosen by some seeds and valued by others."""

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import combinations
from statistics import fmean

from analysis.numbers.differences import Runs
from analysis.numbers.estimates import Estimate, estimate, ratio
from analysis.reading.conditions import ACCURACY, ConditionResult

Choices = Sequence[tuple[int, tuple[int, ...]]]
"""Places of attacks, each with the seeds that chose it."""
SPLITS = 252
"""Splits of the seeds at most, as ten seeds have them; of more seeds so many are drawn."""


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
    """Of the chosen attacks on seeds that did not choose them; with a single seed on that one.

    Its interval is that of a single split, so it is of half of the seeds: a mean over splits errs no more than each.
    """
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
    """The best response to one method, of so many `attacks` that there are, all on the same noises.

    The seeds are split in halves in every way. One half, the smaller one, chooses the attack with the highest mean; the
    other half values it. Victims that never left chance are left out with their attack, which counts as tried. Without
    any attack that has all its victims, the best of the unfinished ones is told, uncorrected.
    """
    own = [one for one in conditions if not one.declined]
    tried = [one for one in own if one.runs(ACCURACY).whole]
    attacks -= sum(bool(one.declined) for one in conditions)
    usable = [one for one in tried if not one.collapsed]
    rows = [one.runs(ACCURACY).units for one in usable]
    if not usable:
        return _unfinished([one for one in own if one.finished and not one.collapsed], len(tried), attacks)
    if len(rows[0]) == 1:
        return _single(usable, len(tried), attacks)
    seeds = len(rows[0])
    choices = [(_choice(rows, split), split) for split in splits(seeds)]
    often = [usable[place] for place, _ in Counter(place for place, _ in choices).most_common()]
    step = usable[0].runs(ACCURACY).step
    runs = Runs(_valued(rows, choices, seeds), seeds if usable[0].noises > 1 else 1, _widening(seeds), step)
    return Response(
        len(tried),
        attacks,
        tuple(dict.fromkeys(one.attack.title for one in often)),
        tuple(often[0].assumes),
        widened(estimate(runs.units), runs),
        max(fmean(row) for row in rows),
        _recovered(usable, choices, runs),
        runs,
    )


@cache
def splits(seeds: int) -> list[tuple[int, ...]]:
    """The halves that choose: every choice of half of so many seeds, rounded down; a fixed draw if there are many."""
    half = seeds // 2
    if math.comb(seeds, half) <= SPLITS:
        return list(combinations(range(seeds), half))
    generator = random.Random(0)
    return [tuple(sorted(generator.sample(range(seeds), half))) for _ in range(SPLITS)]


def widened(value: Estimate | None, runs: Runs) -> Estimate | None:
    """An estimate of responses with the interval that their splits allow."""
    wide = value and value.half_width and runs.widening * value.half_width
    return replace(value, half_width=wide) if value and wide else value


def _widening(seeds: int) -> float:
    """The error of the mean over the valuing half, as a multiple of that over all."""
    return math.sqrt(seeds / (seeds - seeds // 2))


def _choice(rows: Sequence[Sequence[float]], split: Sequence[int]) -> int:
    """The place of the attack that is best on the mean of some seeds; the first of several."""
    means = [fmean(row[seed] for seed in split) for row in rows]
    return means.index(max(means))


def _valued(rows: Sequence[Sequence[float]], choices: Choices, seeds: int) -> list[float]:
    """For each of so many seeds the mean of its values under the attacks that were chosen without it."""
    return [fmean(rows[place][seed] for place, split in choices if seed not in split) for seed in range(seeds)]


def _recovered(usable: Sequence[ConditionResult], choices: Choices, runs: Runs) -> Estimate | None:
    """None if clean images lack a victim under an attack that was chosen."""
    clean = [one.runs("control_accuracy") for one in usable]
    if not all(clean[place].whole for place, _ in choices):
        return None
    found = ratio(runs.units, _valued([one.units for one in clean], choices, len(runs.units)))
    return Estimate(found.mean, None, found.count) if found and usable[0].is_clean else widened(found, runs)


def _single(usable: Sequence[ConditionResult], tried: int, attacks: int) -> Response:
    """Of one seed, which chooses and values: all attacks that share the highest accuracy."""
    means = [one.runs(ACCURACY).mean for one in usable]
    best = [one for one, mean in zip(usable, means, strict=True) if mean == max(means)]
    first = best[0]
    return Response(
        tried,
        attacks,
        tuple(one.attack.title for one in best),
        tuple(first.assumes),
        first.accuracy,
        max(means),
        first.estimates.get("recovered"),
        Runs(first.runs(ACCURACY).units, step=first.runs(ACCURACY).step),
    )


def _unfinished(conditions: Sequence[ConditionResult], tried: int, attacks: int) -> Response:
    found = [(value.mean, one, value) for one in conditions if (value := one.accuracy)]
    if not found:
        return Response(tried, attacks)
    mean, one, value = max(found, key=lambda each: each[0])
    share = one.estimates.get("recovered")
    return Response(tried, attacks, (one.attack.title,), tuple(one.assumes), value, mean, share)
