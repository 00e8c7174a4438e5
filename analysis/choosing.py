"""What it costs to choose the best of many attacks by the accuracies that are then shown: some of the best is luck."""

from collections.abc import Sequence
from statistics import fmean

from analysis.results import ConditionResult
from analysis.sections import percent


def choosing_line(groups: Sequence[Sequence[ConditionResult]]) -> list[str]:
    """A sentence for each data set and model, whose conditions a group is; none with one victim, which cannot tell."""
    found = []
    for group in groups:
        gaps = _gaps(group)
        if not gaps:
            continue
        most = max(gaps, key=lambda title: gaps[title])
        found.append(
            f"{', '.join(group[0].place)}: an attack that is chosen as the best on one victim is "
            f"{percent(fmean(gaps.values()))} points better there than on the other victims, on average over "
            f"{len(gaps)} methods; {percent(gaps[most])} at most ({most})."
        )
    return found


def _gaps(group: Sequence[ConditionResult]) -> dict[str, float]:
    """By title of each protecting method whose attacks are all finished: what `luck` finds."""
    gaps = {}
    for title in dict.fromkeys(one.method.title for one in group if not one.control):
        own = [one for one in group if one.method.title == title and not one.assumes and not one.declined]
        gap = luck([_by_victim(one) for one in own])
        if gap is not None:
            gaps[title] = gap
    return gaps


def _by_victim(condition: ConditionResult) -> list[float | None]:
    """The accuracy of each victim seed, over the noises; None if one is missing."""
    runs, victims = condition.accuracies, condition.victims
    return [
        None if None in (own := runs[seed::victims]) else fmean(one for one in own if one is not None)
        for seed in range(victims)
    ]


def luck(attacks: Sequence[Sequence[float | None]]) -> float | None:
    """The accuracy of the best attack on the victim that chose it, less that on the others: a mean over who chooses.

    `attacks` has the accuracies of the same victims under each attack. None for one victim, or if any is missing.
    """
    table = [[one for one in runs if one is not None] for runs in attacks]
    counts = {len(runs) for runs in (*attacks, *table)}
    if len(counts) != 1 or min(counts) < 2:
        return None
    gaps = []
    for victim in range(min(counts)):
        best = max(table, key=lambda runs: runs[victim])
        gaps.append(best[victim] - fmean(best[:victim] + best[victim + 1 :]))
    return fmean(gaps)
