"""The study of best responses: for each method the attack that recovers most."""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from scipy.stats import norm, spearmanr

from analysis.choosing import choosing_line
from analysis.early_stopping import stopped
from analysis.estimates import rounded
from analysis.results import ConditionResult, Results, by_place
from analysis.sections import MISSING, Entry, Section, Table, plain_table, share_entry
from bench.store import Record

LEAST_ATTACKS = 6
"""So many different attacks make a best response worth the name; radii of one attack are one."""
LEAST_METHODS = 5
"""So many protections make a rank correlation worth a sentence."""
NO_ATTACK = ("none",)
NOTE = (
    "For each method the attack that recovers most, in percent, what share that is of what the same attack reaches on "
    "clean images, and of what the best attack reaches there; the strongest protection first, by the attacks that "
    "assume nothing but the released images and their labels. The best of many is chosen by the accuracies shown, so "
    "it is a little too high if seeds are few. Early stopping is an attack for each clean share of its validation "
    "set: training to the end, then going back to the look that was best on that set. Partial poisoning is no answer "
    "of the trainer, who does not choose what is released. Attacks that assume more have columns of their own if "
    "one of them recovers more."
)
Best = dict[str, Any]
"""Columns of a row: `attack`, `assumes`, `accuracy`, `accuracy_half_width`, `recovered`, `of_clean`."""


def sections(results: Results) -> list[Section]:
    """One, if enough attacks are met: it says what accuracy without attack says of it, and what has no result."""
    groups = _groups(stopped(results))
    rows = [row for conditions in groups for row in _responses(conditions)]
    if not rows:
        return []
    remarks = [*_correlations(rows), *choosing_line(groups), *_missing(groups)]
    return [
        Section(
            "Best response,\u00a0%",
            _table(rows),
            note=NOTE,
            remarks=remarks,
            places=list(dict.fromkeys(conditions[0].place for conditions in groups)),
            numbers=rows,
            file="-best-response",
        )
    ]


def _responses(conditions: list[ConditionResult]) -> list[Record]:
    """A row for each method, controls first, then the strongest protection; shares in [0, 1].

    Columns that begin with `free_` are of attacks that assume nothing, those with `any_` of all. An attack that several
    share by the same accuracy is named as all of them; `recovered` is then that of the first. `of_clean` is the share
    of the highest accuracy on clean images.
    """
    methods = dict.fromkeys(condition.label["method"] for condition in conditions)
    rows = [_row([one for one in conditions if one.label["method"] == method]) for method in methods]
    rows = [row | _of_clean(row, rows) for row in rows]
    return sorted(rows, key=_weakness)


def _weakness(row: Record) -> tuple[bool, float]:
    """What rows are sorted by: controls as they come, then by accuracy; a row without one comes last."""
    if row["control"]:
        return False, 0.0
    return True, math.inf if row["free_accuracy"] is None else row["free_accuracy"]


def _table(numbers: list[Record]) -> Table:
    """The same in percent; without the second half if it would repeat the first."""
    halves = {"free_": "best attack that assumes nothing", "any_": "best attack of all"}
    if all(row["any_attack"] == row["free_attack"] for row in numbers):
        del halves["any_"]
    several = [part for part in ("dataset", "model") if len({row[part] for row in numbers}) > 1]
    head = ["method", "no attack"]
    for title in halves.values():
        head += [title, "accuracy", "recovered", "of the best on clean"]
    rows: list[list[Entry | str]] = []
    for row in numbers:
        name = ", ".join([*(row[part] for part in several), row["title"]])
        rows.append([name, share_entry(row["no_attack"], row["no_attack_half_width"])])
        for half in halves:
            rows[-1] += [
                row[f"{half}attack"] or MISSING,
                share_entry(row[f"{half}accuracy"], row[f"{half}accuracy_half_width"]),
                share_entry(row[f"{half}recovered"]),
                share_entry(row[f"{half}of_clean"]),
            ]
    controls = [row["control"] for row in numbers]
    return plain_table(head, rows, words=(0, 2, 6), controls=controls)


def _correlations(numbers: list[Record]) -> list[str]:
    sentences = []
    for (dataset, model), own in groupby(numbers, lambda row: (row["dataset"], row["model"])):
        rows = list(own)
        correlation = rank_correlation(rows)
        if correlation is not None:
            count = len(_protections(rows))
            low, high = rank_interval(correlation, count)
            verdict = "; that decides nothing" if low <= 0 <= high else ""
            sentences.append(
                f"{dataset}, {model}: the rank correlation (Spearman) of the accuracy without attack with that under "
                f"the best attack that assumes nothing is {correlation:.2f} over {count} methods, its 95 % interval "
                f"{low:.2f} to {high:.2f}{verdict}."
            )
    return sentences


def _missing(groups: list[list[ConditionResult]]) -> list[str]:
    """A sentence for each attack without a result on some method."""
    missing: dict[str, list[str]] = {}
    for condition in (one for conditions in groups for one in conditions if not one.finished and not one.declined):
        missing.setdefault(condition.attack.title, []).append(condition.method.title)
    return [f"Without a result, and left out: {attack} on {', '.join(methods)}." for attack, methods in missing.items()]


def rank_correlation(rows: list[Record]) -> float | None:
    """Spearman's, of `no_attack` and `free_accuracy` over the protections; None for few, or if all are equal."""
    pairs = _protections(rows)
    plain, best = ([row[name] for row in pairs] for name in ("no_attack", "free_accuracy"))
    if len(pairs) < LEAST_METHODS or len(set(plain)) == 1 or len(set(best)) == 1:
        return None
    return float(spearmanr(plain, best).statistic)


def rank_interval(correlation: float, count: int) -> tuple[float, float]:
    """The 95 % interval of Spearman's correlation over `count` pairs, by Fisher's z with Fieller's variance."""
    if abs(correlation) == 1:
        return correlation, correlation
    half_width = norm.ppf(0.975) * math.sqrt(1.06 / (count - 3))
    return math.tanh(math.atanh(correlation) - half_width), math.tanh(math.atanh(correlation) + half_width)


def _protections(rows: list[Record]) -> list[Record]:
    """Those with both accuracies; controls are no protections."""
    return [row for row in rows if not row["control"] and None not in (row["no_attack"], row["free_accuracy"])]


def _groups(conditions: Sequence[ConditionResult]) -> list[list[ConditionResult]]:
    """The conditions of each data set and model that meet enough attacks, of those that a trainer can choose.

    Nobody who trains chooses what is released, and controls of other attacks are there to compare with.
    """
    kept = []
    for group in by_place(conditions).values():
        controls = {attack for condition in group for _, attack in condition.own_controls}
        met = {one.label["attack"] for one in group if not one.is_clean and not one.release} - controls
        own = [condition for condition in group if condition.label["attack"] in met]
        if len({_names(condition) for condition in own} - {NO_ATTACK}) >= LEAST_ATTACKS:
            kept.append(own)
    return kept


def _names(condition: ConditionResult) -> tuple[str, ...]:
    return tuple(attack["name"] for attack in condition.paper["attacks"])


def _row(conditions: list[ConditionResult]) -> Record:
    first = conditions[0]
    plain = next((condition for condition in conditions if _names(condition) == NO_ATTACK), None)
    free = _best([condition for condition in conditions if not condition.assumes])
    return {
        **{part: first.label[part] for part in ("dataset", "model", "method")},
        "title": first.method.title,
        "control": first.control,
        "clean": first.is_clean,
        "no_attack": _accuracy(plain) if plain else None,
        "interval_over": first.interval_over,
        "no_attack_half_width": _half_width(plain) if plain else None,
        **{f"free_{name}": value for name, value in free.items() if name != "assumes"},
        **{f"any_{name}": value for name, value in _best(conditions).items()},
    }


def _of_clean(row: Record, rows: list[Record]) -> Record:
    """The accuracies of a row as shares of those of clean images, if these are among the rows."""
    shares: Record = {}
    for half in ("free_", "any_"):
        highest = next((one[f"{half}accuracy"] for one in rows if one["clean"]), None)
        ours = row[f"{half}accuracy"]
        shares[f"{half}of_clean"] = round(ours / highest, 6) if ours is not None and highest else None
    return shares


def _best(conditions: list[ConditionResult]) -> Best:
    """The attack with the highest accuracy, or those that share it."""
    found = [condition for condition in conditions if condition.finished]
    highest = max((_accuracy(condition) or 0.0 for condition in found), default=None)
    best = [condition for condition in found if _accuracy(condition) == highest]
    if not best:
        return dict.fromkeys(("attack", "assumes", "accuracy", "accuracy_half_width", "recovered"))
    share = best[0].estimates["recovered"]
    return {
        "attack": " or ".join(condition.attack.title for condition in best),
        "assumes": ", ".join(best[0].assumes),
        "accuracy": highest,
        "accuracy_half_width": _half_width(best[0]),
        "recovered": round(share.mean, 6) if share else None,
    }


def _accuracy(condition: ConditionResult) -> float | None:
    value = condition.estimates["final_accuracy"]
    return round(value.mean, 6) if value else None


def _half_width(condition: ConditionResult) -> float | None:
    value = condition.estimates["final_accuracy"]
    return rounded(value.half_width) if value else None
