"""The best of several attacks on each noise of a method, chosen by some of its victims and valued by others."""

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import combinations
from statistics import fmean

from analysis.numbers.differences import Runs
from analysis.numbers.estimates import Estimate, by_noise, estimate, less_sure, ratio
from analysis.reading.conditions import ACCURACY, ConditionResult

Split = tuple[int, ...]
"""Places of the victims that choose; those left value, or the same one if there is no other."""
Choices = Sequence[tuple[int, Split]]
"""Places of attacks, each with the victims of a noise that chose it."""
SPLITS = 252
"""Splits of the victims at most, as ten have them; of more victims so many are drawn."""


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
    """Of the chosen attacks on victims that did not choose them; with a single victim of each noise on that one.

    Where victims are the units, its interval is that of a single split, so it is of half of them: a mean over splits
    errs no more than each. A single victim of each of several noises chooses by luck, so there is no interval.
    """
    uncorrected: float | None = None
    """The mean over noises of the highest mean over all victims of a noise, which luck lifts."""
    recovered: Estimate | None = None
    """The share of what the chosen attacks reach on clean images, on the same victim seeds."""
    runs: Runs = field(default_factory=lambda: Runs(()))
    """The accuracy of each victim."""

    @property
    def complete(self) -> bool:
        """Whether every attack was tried: else the accuracy is only a lower bound."""
        return self.tried == self.attacks

    @property
    def correction(self) -> float | None:
        """What choosing by other victims takes off; None with a single one on each noise, which cannot tell."""
        if self.uncorrected is None or self.accuracy is None or len(self.runs.values) <= self.runs.noises:
            return None
        return self.accuracy.mean - self.uncorrected


def best_response(conditions: Sequence[ConditionResult], attacks: int) -> Response:
    """The best response to one method, of so many `attacks` that there are, all on the same noises and victims.

    Each noise has a best attack of its own. Its victims are split in halves in every way: one half, the smaller one,
    chooses the attack with the highest mean; the other half values it. Victims that never left chance are left out with
    their attack, which counts as tried. Without any attack that has all its victims, the best of the unfinished ones is
    told, uncorrected.
    """
    own = [one for one in conditions if not one.declined]
    tried = [one for one in own if one.runs(ACCURACY).whole]
    attacks -= sum(bool(one.declined) for one in conditions)
    usable = [one for one in tried if not one.collapsed]
    if not usable:
        return _unfinished([one for one in own if one.finished and not one.collapsed], len(tried), attacks)
    first = usable[0]
    if first.planned == 1:
        return _single(usable, len(tried), attacks)
    reached = {place: _by_noise(one, ACCURACY) for place, one in enumerate(usable)}
    choices = [
        [(_choice([rows[noise] for rows in reached.values()], split), split) for split in splits(first.victims)]
        for noise in range(first.noises)
    ]
    often = Counter(place for made in choices for place, _ in made).most_common()
    runs = Runs(_valued(reached, choices), first.noises, _widening(first.victims), first.runs(ACCURACY).step)
    of_victims = partial(estimate, widening=runs.widening)
    accuracy = less_sure(estimate, runs.noises, runs.values, of_victims=of_victims)
    recovered = _recovered(usable, choices, runs)
    if first.victims == 1 and len(usable) > 1:  # luck lifts it by an unknown amount
        accuracy, recovered, runs = accuracy and accuracy.bare, recovered and recovered.bare, Runs(())
    return Response(
        len(tried),
        attacks,
        tuple(dict.fromkeys(usable[place].attack.title for place, _ in often)),
        tuple(usable[often[0][0]].assumes),
        accuracy,
        fmean(max(fmean(rows[noise]) for rows in reached.values()) for noise in range(first.noises)),
        recovered,
        runs,
    )


@cache
def splits(victims: int) -> list[Split]:
    """The halves that choose: every choice of half of so many, rounded down; a fixed draw if there are many.

    A single victim chooses, and values as well.
    """
    half = max(1, victims // 2)
    if math.comb(victims, half) <= SPLITS:
        return list(combinations(range(victims), half))
    generator = random.Random(0)
    return [tuple(sorted(generator.sample(range(victims), half))) for _ in range(SPLITS)]


def share_of(ours: Runs, theirs: Sequence[float | None]) -> Estimate | None:
    """The ratio of the means of responses and of what they are read against, run by run."""
    return less_sure(ratio, ours.noises, ours.values, theirs, of_victims=partial(ratio, widening=ours.widening))


def _widening(victims: int) -> float:
    """The error of the mean over the valuing half, as a multiple of that over all."""
    return math.sqrt(victims / (victims - victims // 2))


def _by_noise(one: ConditionResult, quantity: str) -> list[list[float]]:
    """The victims of each noise of a condition that lacks none."""
    return [[value for value in row if value is not None] for row in by_noise(one.runs(quantity).values, one.noises)]


def _choice(rows: Sequence[Sequence[float]], split: Split) -> int:
    """The place of the attack that is best on the mean of some victims; the first of several."""
    means = [fmean(row[victim] for victim in split) for row in rows]
    return means.index(max(means))


def _valued(reached: Mapping[int, list[list[float]]], choices: Sequence[Choices]) -> list[float]:
    """For each victim of each noise the mean under the attacks that were chosen without it, by their places."""
    found = []
    for noise, made in enumerate(choices):
        for victim in range(len(reached[made[0][0]][noise])):
            others = [place for place, split in made if victim not in split]
            found.append(fmean(reached[place][noise][victim] for place in others or [place for place, _ in made]))
    return found


def _recovered(usable: Sequence[ConditionResult], choices: Sequence[Choices], runs: Runs) -> Estimate | None:
    """None if clean images lack a victim under an attack that was chosen."""
    chosen = {place for made in choices for place, _ in made}
    if not all(usable[place].runs("control_accuracy").whole for place in chosen):
        return None
    clean = _valued({place: _by_noise(usable[place], "control_accuracy") for place in chosen}, choices)
    found = share_of(runs, clean)
    return found.bare if found and usable[0].is_clean else found


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
