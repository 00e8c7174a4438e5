"""Best response: for each method, the attack that recovers most, because accuracy without attack says little of it."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from scipy.stats import spearmanr

from analysis.conditions import Condition, Results
from analysis.early_stopping import stopped
from analysis.estimates import rounded
from analysis.tables import MISSING, with_interval
from bench.store import Record

LEAST_ATTACKS = 6
"""So many different attacks make a best response worth the name; radii of one attack are one."""
LEAST_METHODS = 5
"""So many protections make a rank correlation worth a sentence."""
NO_ATTACK = ("none",)
WORDS = (0, 2, 6)
"""Columns of the table that hold words."""
NOTE = (
    "For each method the attack that recovers most, in percent, what share that is of what the same attack reaches on "
    "clean images, and of what the best attack reaches there; the strongest protection first, by the attacks that "
    "assume nothing but the released images and their labels. The best of many is chosen by the accuracies shown, so "
    "it is a little too high where seeds are few. Early stopping is an attack for each clean share of its validation "
    "set: training to the end, then going back to the look that was best on that set. Partial poisoning is no answer "
    "of the trainer, who does not choose what is released. Attacks that assume more have columns of their own where "
    "one of them recovers more."
)
Best = dict[str, Any]
"""Columns of a row: `attack`, `assumes`, `accuracy`, `accuracy_half_width`, `recovered`, `of_clean`."""


def responses(results: Results) -> list[Record]:
    """A row for each method, controls first, then the strongest protection; shares in [0, 1]; no row for few attacks.

    Columns that begin with `free_` are of attacks that assume nothing, those with `any_` of all. An attack that several
    share by the same accuracy is named as all of them; `recovered` is then that of the first. `of_clean` is the share
    of the highest accuracy on clean images.
    """
    rows = []
    for conditions in _groups(stopped(results)):
        methods = dict.fromkeys(condition.label["method"] for condition in conditions)
        own = [_row([one for one in conditions if one.label["method"] == method]) for method in methods]
        own = [row | _of_clean(row, own) for row in own]
        rows += sorted(own, key=lambda row: (not row["control"], 0 if row["control"] else row["free_accuracy"] or 2.0))
    return rows


def response_table(results: Results) -> list[list[str]]:
    """The same in percent, the headings first; without the second half where it would repeat the first."""
    rows = responses(results)
    if not rows:
        return []
    halves = ["free_", *(["any_"] if any(row["any_attack"] != row["free_attack"] for row in rows) else [])]
    heads = {"free_": "best attack that assumes nothing", "any_": "best attack of all"}
    several = [part for part in ("dataset", "model") if len({row[part] for row in rows}) > 1]
    table = [["method", "no attack"]]
    for half in halves:
        table[0] += [heads[half], "accuracy", "recovered", "of the best on clean"]
    for row in rows:
        name = ", ".join([*(row[part] for part in several), row["title"]])
        line = [name, _percent(row["no_attack"], row["no_attack_half_width"])]
        for half in halves:
            line += [
                row[f"{half}attack"] or MISSING,
                _percent(row[f"{half}accuracy"], row[f"{half}accuracy_half_width"]),
                _percent(row[f"{half}recovered"]),
                _percent(row[f"{half}of_clean"]),
            ]
        table.append(line)
    return table


def remarks(results: Results) -> list[str]:
    """Sentences about the table: what accuracy without attack says of it, and the conditions that have no result."""
    sentences = []
    for (dataset, model), own in groupby(responses(results), lambda row: (row["dataset"], row["model"])):
        rows = list(own)
        correlation = rank_correlation(rows)
        if correlation is not None:
            sentences.append(
                f"{dataset}, {model}: the rank correlation (Spearman) of the accuracy without attack with that under "
                f"the best attack that assumes nothing is {correlation:.2f} over {len(_protections(rows))} methods."
            )
    missing: dict[str, list[str]] = {}
    for conditions in _groups(stopped(results)):
        for condition in conditions:
            if not condition.finished:
                missing.setdefault(condition.titles["attack"], []).append(condition.titles["method"])
    without = [
        f"Without a result, and left out: {attack} on {', '.join(methods)}." for attack, methods in missing.items()
    ]
    return sentences + without


def rank_correlation(rows: list[Record]) -> float | None:
    """Spearman's, of `no_attack` and `free_accuracy` over the protections; None for few, or where all are equal."""
    pairs = _protections(rows)
    plain, best = ([row[name] for row in pairs] for name in ("no_attack", "free_accuracy"))
    if len(pairs) < LEAST_METHODS or len(set(plain)) == 1 or len(set(best)) == 1:
        return None
    return float(spearmanr(plain, best).statistic)


def _protections(rows: list[Record]) -> list[Record]:
    """Those with both accuracies; controls are no protections."""
    return [row for row in rows if not row["control"] and None not in (row["no_attack"], row["free_accuracy"])]


def _groups(conditions: Iterable[Condition]) -> list[list[Condition]]:
    """The conditions of each data set and model that meet enough attacks, of those that a trainer can choose.

    Nobody who trains chooses what is released, and controls of other attacks are there to compare with.
    """
    groups: dict[tuple[str, str], list[Condition]] = {}
    for condition in conditions:
        groups.setdefault((condition.label["dataset"], condition.label["model"]), []).append(condition)
    kept = []
    for group in groups.values():
        controls = {attack for condition in group for _, attack in condition.own_controls}
        met = {one.label["attack"] for one in group if not one.is_clean and not one.release} - controls
        own = [condition for condition in group if condition.label["attack"] in met]
        if len({_names(condition) for condition in own} - {NO_ATTACK}) >= LEAST_ATTACKS:
            kept.append(own)
    return kept


def _names(condition: Condition) -> tuple[str, ...]:
    return tuple(attack["name"] for attack in condition.paper["attacks"])


def _row(conditions: list[Condition]) -> Record:
    first = conditions[0]
    plain = next((condition for condition in conditions if _names(condition) == NO_ATTACK), None)
    free = _best([condition for condition in conditions if not condition.assumes])
    return {
        **{part: first.label[part] for part in ("dataset", "model", "method")},
        "title": first.titles["method"],
        "control": first.control,
        "clean": first.is_clean,
        "no_attack": _accuracy(plain) if plain else None,
        "no_attack_half_width": _half_width(plain) if plain else None,
        **{f"free_{name}": value for name, value in free.items() if name != "assumes"},
        **{f"any_{name}": value for name, value in _best(conditions).items()},
    }


def _of_clean(row: Record, rows: list[Record]) -> Record:
    """The accuracies of a row as shares of those of clean images, where these are among the rows."""
    shares: Record = {}
    for half in ("free_", "any_"):
        highest = next((one[f"{half}accuracy"] for one in rows if one["clean"]), None)
        ours = row[f"{half}accuracy"]
        shares[f"{half}of_clean"] = round(ours / highest, 6) if ours is not None and highest else None
    return shares


def _best(conditions: list[Condition]) -> Best:
    """The attack with the highest accuracy, or those that share it."""
    found = [condition for condition in conditions if condition.finished]
    highest = max((_accuracy(condition) or 0.0 for condition in found), default=None)
    best = [condition for condition in found if _accuracy(condition) == highest]
    if not best:
        return dict.fromkeys(("attack", "assumes", "accuracy", "accuracy_half_width", "recovered"))
    share = best[0].estimates["recovered"]
    return {
        "attack": " or ".join(condition.titles["attack"] for condition in best),
        "assumes": ", ".join(best[0].assumes),
        "accuracy": highest,
        "accuracy_half_width": _half_width(best[0]),
        "recovered": round(share.mean, 6) if share else None,
    }


def _accuracy(condition: Condition) -> float | None:
    value = condition.estimates["final_accuracy"]
    return round(value.mean, 6) if value else None


def _half_width(condition: Condition) -> float | None:
    value = condition.estimates["final_accuracy"]
    return rounded(value.half_width) if value else None


def _percent(share: float | None, half_width: float | None = None) -> str:
    return MISSING if share is None else with_interval(share, half_width)
