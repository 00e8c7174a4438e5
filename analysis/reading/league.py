"""The league of best responses: a row for each method of one data set and model, with its rank and its group."""

from collections.abc import Sequence
from typing import Any

from analysis.numbers.differences import Runs, groups
from analysis.numbers.estimates import Estimate, rounded
from analysis.numbers.ranks import rank_intervals
from analysis.reading.conditions import ConditionResult
from analysis.reading.responses import Response, best_response, share_of
from bench.store import Record

FREE, ANY = "free_", "any_"
"""What the columns begin with that are of attacks that assume nothing, and of all attacks."""
FILE = "-best-response"
"""How the file of a section with such rows is called."""
OR = " or "
"""What stands between attacks that share a best response."""


def league(conditions: Sequence[ConditionResult]) -> list[Record]:
    """A row for each method: controls first, then the strongest protection, then those on which attacks are missing.

    Shares are in [0, 1]. `_low` and `_high` are the ends of the 95 % interval, `_half_width` its longer side.
    `free_uncorrected` is the highest mean over all victims, and `free_correction` what choosing by others adds to it.
    `rank` and `group` are among the complete methods; the latter begins with a method, and has all that cannot be told
    from it. Attacks that are best for different noises, or share the accuracy of a single victim, are all named.
    `of_clean` is the share of the best response on clean images.
    """
    methods: dict[str, list[ConditionResult]] = {}
    for one in conditions:
        methods.setdefault(one.label["method"], []).append(one)
    responses = {method: _responses(own, conditions) for method, own in methods.items()}
    clean = next((responses[method] for method, own in methods.items() if own[0].is_clean), {})
    placed = _placed({method: responses[method][FREE] for method, own in methods.items() if not own[0].control})
    nowhere = dict.fromkeys(("rank", "rank_low", "rank_high", "group"))
    rows = [
        {**_place(own), **placed.get(method, nowhere), **_plain(own), **_halves(responses[method], clean)}
        for method, own in methods.items()
    ]
    return sorted(rows, key=_order)


def ranked(rows: Sequence[Record]) -> list[Record]:
    """The rows that have a rank."""
    return [row for row in rows if row["rank"] is not None]


def names(condition: ConditionResult) -> tuple[str, ...]:
    """The attacks of a condition's stack."""
    return tuple(attack["name"] for attack in condition.paper["attacks"])


def protections(conditions: Sequence[ConditionResult]) -> dict[str, Runs]:
    """The runs behind the best responses of complete protections, by method: what tests and ranks are of."""
    methods = dict.fromkeys(one.label["method"] for one in conditions if not one.control)
    own = {method: [one for one in conditions if one.label["method"] == method] for method in methods}
    found = {method: _responses(mine, conditions)[FREE] for method, mine in own.items()}
    return {method: one.runs for method, one in found.items() if one.complete and one.runs.units}


def _responses(own: Sequence[ConditionResult], everyone: Sequence[ConditionResult]) -> dict[str, Response]:
    """The best response among the attacks that assume nothing, and among all."""
    found = {}
    for half in (FREE, ANY):
        met = {one.label["attack"] for one in everyone if half == ANY or not one.assumes}
        found[half] = best_response([one for one in own if one.label["attack"] in met], len(met))
    return found


def _placed(responses: dict[str, Response]) -> dict[str, Record]:
    """Rank, its interval and group of each complete method."""
    complete = {method: one.runs for method, one in responses.items() if one.complete and one.runs.units}
    means = {method: runs.mean for method, runs in complete.items()}
    intervals = rank_intervals(complete)
    tested = any(len(runs.units) > 1 for runs in complete.values())
    group = groups(complete) if tested else {}
    return {
        method: {
            "rank": 1 + sum(other < mean for other in means.values()),
            "rank_low": intervals[method][0] if intervals else None,
            "rank_high": intervals[method][1] if intervals else None,
            "group": group.get(method),
        }
        for method, mean in means.items()
    }


def _order(row: Record) -> tuple[Any, ...]:
    """Controls as they come, complete methods by accuracy, then those with the most attacks; one without any last."""
    if row["control"]:
        return (0,)
    if row["free_complete"] and row["free_accuracy"] is not None:
        return 1, row["free_accuracy"]
    if row["free_accuracy"] is not None:
        return 2, -row["free_tried"], row["free_accuracy"]
    return (3,)


def _place(own: Sequence[ConditionResult]) -> Record:
    first = next((one for one in own if not one.declined), own[0])
    return {
        **{part: first.label[part] for part in ("dataset", "model", "method")},
        "title": first.method.title,
        "control": first.control,
        "clean": first.is_clean,
        "interval_over": first.interval_over,
        "noises": first.noises,
        "seeds_planned": first.planned,
    }


def _plain(own: Sequence[ConditionResult]) -> Record:
    plain = next((one.accuracy for one in own if one.is_plain), None)
    return _written("no_attack", plain)


def _written(name: str, value: Estimate | None) -> Record:
    """A value with its interval."""
    parts = {"": "mean", "_half_width": "half_width", "_low": "low", "_high": "high"}
    return {f"{name}{end}": rounded(getattr(value, part)) if value else None for end, part in parts.items()}


def _halves(own: dict[str, Response], clean: dict[str, Response]) -> Record:
    return {f"{half}{name}": value for half, one in own.items() for name, value in _half(one, clean.get(half)).items()}


def _half(one: Response, clean: Response | None) -> Record:
    return {
        "attack": OR.join(one.chosen) or None,
        "assumes": ", ".join(one.assumes),
        "tried": one.tried,
        "attacks": one.attacks,
        "complete": one.complete,
        **_written("accuracy", one.accuracy),
        "uncorrected": rounded(one.uncorrected),
        "correction": rounded(one.correction),
        **_written("recovered", one.recovered),
        **_written("of_clean", _of_clean(one, clean)),
    }


def _of_clean(one: Response, clean: Response | None) -> Estimate | None:
    """The accuracy as a share of that on clean images, if these met every attack."""
    if one.accuracy is None or clean is None or clean.accuracy is None or not clean.complete or not clean.accuracy.mean:
        return None
    ours, theirs = one.runs, clean.runs
    alike = len(ours.values) == len(theirs.values) > 1 and ours.noises == theirs.noises
    found = share_of(ours, theirs.values) if alike and one is not clean else None
    return found or Estimate(one.accuracy.mean / clean.accuracy.mean, None, 1)


def condition_of(row: Record, attack: str | None, conditions: Sequence[ConditionResult]) -> ConditionResult | None:
    """Where the method of a row meets an attack, by its title; of several that share a response the first."""
    title = (attack or "").split(OR)[0]
    here = (one for one in conditions if all(one.label[part] == row[part] for part in ("dataset", "model", "method")))
    return next((one for one in here if one.attack.title == title), None)
