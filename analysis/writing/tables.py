"""Tables of one quantity: rows the methods, columns the attacks."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from analysis.reading.collapse import COLLAPSED
from analysis.reading.conditions import ACCURACY, PLAIN, ConditionResult
from analysis.writing.brackets import laboratories
from analysis.writing.sections import FAILED, MISSING, Entry, Row, Table, percent, share_entry
from analysis.writing.standing import BEST, LOWEST, TIED, Standings, standings


def table_of(conditions: Sequence[ConditionResult], quantity: str, standing: Standings | None = None) -> Table:
    """The conditions of one data set and model, in the plan's order. Published values stand beside final accuracies.

    What is best and tied is told by `standing`, else by the quantity itself.
    """
    places = {(one.label["method"], one.label["attack"]): one for one in conditions}
    methods = {one.label["method"]: one for one in conditions}
    columns = attacks_of(conditions)
    brackets = _brackets(conditions) if quantity == ACCURACY else {}
    standing = standings(conditions, quantity) if standing is None else standing
    rows = [
        Row(
            [
                Entry(first.method.title, hint=first.method.hint, facets={"method": first.method.title}),
                *(
                    _entry(places.get(place), quantity, standing.get(place, ""), brackets.get(place, ""))
                    for place in ((method, attack) for attack in columns)
                ),
            ],
            first.control,
        )
        for method, first in methods.items()
    ]
    facets = _facets(conditions)
    heads = [Entry(one.column_title, hint=one.attack.hint, facets=facets[label]) for label, one in columns.items()]
    return Table([Entry("method"), *heads], rows)


def _facets(conditions: Sequence[ConditionResult]) -> dict[str, dict[str, str]]:
    """What each attack may be picked by: its title, what it assumes, and its passes as a multiple of plain training."""
    passes = {label: training_passes(conditions, label) for label in attacks_of(conditions)}
    plain = passes.get(PLAIN)
    return {
        label: {"attack": first.column_title, "assumes": ", ".join(first.assumes) or "nothing"}
        | ({"cost": f"{ours / plain:.1f}"} if (ours := passes[label]) and plain else {})
        for label, first in attacks_of(conditions).items()
    }


def training_passes(conditions: Sequence[ConditionResult], attack: str) -> float | None:
    """Passes of training a victim under an attack, by its label: a mean over methods; None if nothing is finished."""
    found = [one.estimates.get("train_passes") for one in conditions if one.label["attack"] == attack]
    means = [value.mean for value in found if value]
    return fmean(means) if means else None


def _brackets(conditions: Sequence[ConditionResult]) -> dict[tuple[str, str], str]:
    """The published value of each method and attack, with its laboratory unless all are of one."""
    several = len(laboratories(conditions)) > 1
    shown = {(one.label["method"], one.label["attack"]): one.published[0] for one in conditions if one.published}
    return {
        place: f"{percent(value.accuracy)} {value.laboratory}" if several else percent(value.accuracy)
        for place, value in shown.items()
    }


def attacks_of(conditions: Sequence[ConditionResult]) -> dict[str, ConditionResult]:
    """The first condition of each attack, by the attack's label, in the plan's order."""
    firsts: dict[str, ConditionResult] = {}
    for condition in conditions:
        firsts.setdefault(condition.label["attack"], condition)
    return firsts


def _entry(condition: ConditionResult | None, quantity: str, standing: str, published: str) -> Entry:
    if condition is None:
        return Entry("")
    if condition.declined:
        return Entry("does not apply", note=condition.declined)
    value = condition.estimates[quantity]
    if value is None:
        text = FAILED if condition.failed else MISSING
        return Entry(text, published=published, note=_note(condition) if condition.failed else "")
    return replace(
        share_entry(value.mean, value.half_width),
        published=published,
        note=_note(condition),
        best=standing in (BEST, LOWEST),
        tied=standing == TIED,
        keys=condition.keys,
    )


def _is_alone(condition: ConditionResult) -> bool:
    value = condition.accuracy
    return value is not None and value.half_width is None


def _note(condition: ConditionResult) -> str:
    """What of a condition is not finished: `1 of 3 seeds finished, 2 missing; no interval`; and what collapsed."""
    collapsed = f"{condition.collapsed} of {condition.planned} victims {COLLAPSED}" if condition.collapsed else ""
    return "; ".join(text for text in (_unfinished(condition), collapsed) if text)


def _unfinished(condition: ConditionResult) -> str:
    if condition.planned in (condition.finished, condition.failed):
        return ""
    counts = [f"{condition.finished} of {condition.planned} seeds finished"]
    counts += [f"{condition.failed} failed"] if condition.failed else []
    counts += [f"{condition.missing} missing"] if condition.missing else []
    return ", ".join(counts) + ("; no interval" if _is_alone(condition) else "")
