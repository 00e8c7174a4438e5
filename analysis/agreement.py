"""The study of agreement with published values: number by number at the paper's scale, else by their order alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.numbers.estimates import rounded
from analysis.numbers.rank_correlation import rank_correlation, rank_interval
from analysis.reading.conditions import ConditionResult
from analysis.reading.league import names
from analysis.reading.published import Published
from analysis.reading.results import Results
from analysis.writing.brackets import laboratories, our_recipe, settled_tables
from analysis.writing.provenance import is_paper
from analysis.writing.sections import Entry, Section, percent, plain_table, share_entry
from analysis.writing.standing import columns_of
from bench.store import Record

TOLERANCE, JPEG_TOLERANCE = 0.1, 0.05
"""How far laboratories may be from each other, and we from the nearest: two that measured the same nine methods differ
by 6.8 points on average without an attack, by 6.4 under grayscale and by 1.7 under JPEG (APBench and ISS)."""
OK, OFF, NO_CONSENSUS, OTHER_RECIPE = "ok", "off", "no consensus", "other recipe"
MEASURED_NOTE = (
    "Published values of the same method, attack and settings. If any is of our recipe of training, only these count. "
    "No consensus: the laboratories are more than 10 points apart, under JPEG 5. Else ok: we are at most as far from "
    "the nearest one; off: we are further. Other recipe: a single laboratory has a value, with another recipe than "
    "ours, so nothing is judged. The difference is ours less the value shown, in points."
)
PATTERN_NOTE = (
    "Published values are of the paper's scale, so their numbers are those of another experiment. Whether methods "
    "come in the same order can be compared: Spearman's rank correlation of our column with the published one, over "
    "the methods that have both. An interval that spans 0 decides nothing. A published column of several laboratories "
    "mixes their recipes."
)


@dataclass(frozen=True)
class Verdict:
    """What published values say of one of ours; accuracies are shares in [0, 1]."""

    word: str
    value: Published
    """The one that ours is set against: of our recipe, if any is."""
    spread: float | None
    """Of the laboratories that count, the highest less the lowest; None if there is only one."""


def sections(results: Results) -> list[Section]:
    """One of numbers at the paper's scale, else one of orders, if there is anything to compare."""
    return _measured(results) if is_paper(results) else _patterns(results)


def verdict(accuracy: float, values: Sequence[Published], recipe: str, stack: Sequence[str]) -> Verdict:
    """What some published values, at least one, say of our accuracy under a stack of attacks.

    `recipe` is the name of ours, as the values call theirs; empty if it is nobody's.
    """
    counted = [value for value in values if value.recipe == recipe] or list(values)
    by_laboratory = {value.laboratory: value.accuracy for value in reversed(counted)}
    spread = max(by_laboratory.values()) - min(by_laboratory.values()) if len(by_laboratory) > 1 else None
    tolerance = (JPEG_TOLERANCE if "jpeg" in stack else TOLERANCE) + 1e-9
    if spread is not None and spread > tolerance:
        word = NO_CONSENSUS
    elif spread is None and counted[0].recipe != recipe:
        word = OTHER_RECIPE
    else:
        word = OK if min(abs(accuracy - one) for one in by_laboratory.values()) <= tolerance else OFF
    return Verdict(word, counted[0], spread)


def _measured(results: Results) -> list[Section]:
    recipe, rows, numbers = our_recipe(results), list[list[Entry | str]](), list[Record]()
    for conditions in settled_tables(results).values():
        for one in conditions:
            ours = one.accuracy
            if not ours or not one.published or one.collapsed:
                continue
            found = verdict(ours.mean, one.published, recipe, names(one))
            value, points = found.value, ours.mean - found.value.accuracy
            source = f"{value.source}, {value.source_table}"
            spread = "" if found.spread is None else percent(found.spread)
            entry = share_entry(ours.mean, ours.half_width)
            published = percent(value.accuracy)
            rows.append([_title(one), entry, published, source, value.recipe, percent(points), spread, found.word])
            numbers.append(
                {
                    **one.label,
                    "accuracy": rounded(ours.mean),
                    "accuracy_half_width": rounded(ours.half_width),
                    "published": rounded(value.accuracy),
                    "source": source,
                    "recipe": value.recipe,
                    "difference": rounded(points),
                    "spread_of_laboratories": rounded(found.spread),
                    "verdict": found.word,
                }
            )
    head = ["condition", "here", "published", "source", "recipe there", "difference", "laboratories apart", "verdict"]
    table = plain_table(head, rows, words=(0, 3, 4, 7))
    heading = "Measured against published,\u00a0%"
    section = Section(heading, table, note=MEASURED_NOTE, numbers=numbers, file="-against-published")
    return [section] if rows else []


def _title(one: ConditionResult) -> str:
    return f"{one.method.title}, {one.attack.title}, {one.label['dataset']}, {one.label['model']}"


def _patterns(results: Results) -> list[Section]:
    rows, numbers = list[list[Entry | str]](), list[Record]()
    for place, conditions in settled_tables(results).items():
        for column in columns_of(conditions).values():
            own = [one for one in column if one.published and not one.control and one.is_comparable]
            pairs = [(value.mean, one.published[0]) for one in own if (value := one.accuracy)]
            correlation = rank_correlation([mean for mean, _ in pairs], [value.accuracy for _, value in pairs])
            if correlation is None:
                continue
            low, high = rank_interval(correlation, len(pairs))
            title, measured = ", ".join([column[0].attack.title, *place]), ", ".join(laboratories(own))
            rows.append([title, f"{correlation:.2f}", f"{low:.2f} to {high:.2f}", str(len(pairs)), measured])
            numbers.append(
                {
                    "dataset": place[0],
                    "model": place[1],
                    "attack": column[0].label["attack"],
                    "methods": len(pairs),
                    "spearman": rounded(correlation),
                    "spearman_low": rounded(low),
                    "spearman_high": rounded(high),
                    "laboratories": measured,
                }
            )
    head = ["attack", "rank correlation", "95 % interval", "methods", "laboratories"]
    table = plain_table(head, rows, words=(0, 4))
    heading = "Order of methods here and in publications"
    section = Section(heading, table, note=PATTERN_NOTE, numbers=numbers, file="-against-published")
    return [section] if rows else []
