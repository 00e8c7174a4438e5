"""A portrait of every method and every attack: where it stands, its numbers, its cost, and what its card says."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from analysis.claims import RECOVERED
from analysis.page.ranking import Ranked, breaks
from analysis.reading.conditions import PLAIN, ConditionResult
from analysis.reading.controls import answers_among, controls_among
from analysis.reading.results import Results
from analysis.reading.stopping import stopped
from analysis.writing.sections import Entry, Table, percent, plain_table, share_entry
from analysis.writing.tables import training_passes
from bench.core.errors import UserError

Card = Callable[[str, str], Iterable[str]]
"""The lines of a card, by `methods` or `attacks` and the name of a plug-in; UserError for a name that is none."""
SIZES = (
    ("noise_linf", 255, "steps of 1/255 at most", "{:.0f}"),
    ("noise_l2", 1, "l2 on average", "{:.2f}"),
    ("noise_psnr", 1, "dB PSNR", "{:.1f}"),
    ("noise_ssim", 1, "SSIM", "{:.3f}"),
)
"""How visible a noise is: estimates of conditions, their unit, its name, and how they are written."""
WORD = re.compile(r"^  (\S.{9}) (.*)$")
"""How a line of a card begins that has a word; others go on with the line before."""


@dataclass(frozen=True)
class Portrait:
    """What a page shows of a method or an attack."""

    anchor: str
    title: str
    summary: str
    """Where it stands, in a line."""
    facts: Sequence[tuple[str, str]]
    table: Table
    """Its row or its column, the most recovering first."""
    card: Sequence[tuple[str, str]]
    """What there is to know before running it, a word and a text each."""


def methods(rows: Sequence[Ranked], results: Results, card: Card | None) -> list[Portrait]:
    """One for each protecting method of a ranking, in its order."""
    clean = next((row for row in rows if row.clean), None)
    ranked = [row for row in rows if not row.control]
    return [_method(row, place, len(ranked), clean, results, card) for place, row in enumerate(ranked, 1) if row.best]


def _method(row: Ranked, place: int, count: int, clean: Ranked | None, results: Results, card: Card | None) -> Portrait:
    assert row.best is not None  # the caller has looked
    own = [one for one in _conditions(results, row.best.place) if one.label["method"] == row.best.label["method"]]
    plain = next((one for one in own if one.label["attack"] == PLAIN), row.best)
    free = [one for one in answers_among(own) if not one.assumes]
    broken = [one.attack.title for one in _sorted(free) if clean and breaks(one, clean)]
    standing = f"{place} of {count}" if not row.missing else "not ranked: not all attacks have been tried"
    return Portrait(
        anchor=f"method-{_anchor(row.title)}",
        title=row.title,
        summary=f"{standing}; {percent(row.accuracy)} % under {row.attack}",
        facts=[
            ("broken by", ", ".join(broken) or f"no attack brings it to {100 * RECOVERED:.0f} % of the best on clean"),
            ("cost", _amount(plain, "noise_passes", 1, "passes of 128 images to make its noise here", "{:,.0f}")),
            ("visible as", "; ".join(filter(None, (_amount(plain, *one) for one in SIZES)))),
        ],
        table=_table("attack", [(one.attack.title, one) for one in _sorted(own)]),
        card=_card(card, "methods", plain.paper["method"]["name"]),
    )


def attacks(rows: Sequence[Ranked], results: Results, card: Card | None) -> list[Portrait]:
    """One for each attack that the ranked methods meet, what breaks most first."""
    clean = next((row for row in rows if row.clean), None)
    ranked = {row.title for row in rows if not row.control}
    place = next((row.best.place for row in rows if row.best), None)
    if not clean or not place:
        return []
    met: dict[str, list[ConditionResult]] = {}
    for one in _conditions(results, place):
        if one.method.title in ranked and one.finished:
            met.setdefault(one.attack.title, []).append(one)
    compared = controls_among(_conditions(results, place))
    found = [own for own in met.values() if own[0].label["attack"] not in compared]
    ordered = sorted(found, key=lambda own: (-sum(breaks(one, clean) for one in own), own[0].attack.title))
    return [_attack(own, clean, results, card) for own in ordered]


def _attack(own: Sequence[ConditionResult], clean: Ranked, results: Results, card: Card | None) -> Portrait:
    first = own[0]
    broken = [one.method.title for one in _sorted(own) if breaks(one, clean)]
    passes, plain = (training_passes(results.conditions, label) for label in (first.label["attack"], PLAIN))
    names = [attack["name"] for attack in first.paper["attacks"]]
    return Portrait(
        anchor=f"attack-{_anchor(first.attack.title)}",
        title=first.attack.title if first.attack.title != PLAIN else "plain training",
        summary=f"breaks {len(broken)} of {len(own)} methods",
        facts=[
            ("breaks", ", ".join(broken) or "none"),
            ("assumes", ", ".join(first.assumes) or "nothing but the released images and their labels"),
            ("cost", f"{passes / plain:.1f} times the passes of plain training" if passes and plain else ""),
        ],
        table=_table("method", [(one.method.title, one) for one in _sorted(own)]),
        card=[line for name in dict.fromkeys(names) for line in _card(card, "attacks", name)],
    )


def _conditions(results: Results, place: tuple[str, str]) -> list[ConditionResult]:
    return [one for one in stopped(results) if one.place == place and not one.declined]


def _mean(one: ConditionResult) -> float:
    value = one.accuracy
    return value.mean if value else -1.0


def _sorted(conditions: Iterable[ConditionResult]) -> list[ConditionResult]:
    """The highest accuracy first; those without one are left out."""
    return sorted((one for one in conditions if one.finished), key=_mean, reverse=True)


def _table(word: str, named: Sequence[tuple[str, ConditionResult]]) -> Table:
    rows: list[list[Entry | str]] = []
    for title, one in named:
        value, recovered = one.accuracy, one.estimates.get("recovered")
        entry = share_entry(value.mean if value else None, value.half_width if value else None)
        share = share_entry(recovered.mean if recovered else None)
        rows.append([title, _opening(entry, one), _opening(share, one)])
    return plain_table([word, "accuracy, %", "recovered, %"], rows)


def _opening(entry: Entry, one: ConditionResult) -> Entry:
    return Entry(entry.value, entry.half_width, keys=one.keys)


def _amount(one: ConditionResult, name: str, unit: float, words: str, form: str) -> str:
    value = one.estimates.get(name)
    return f"{form.format(unit * value.mean)} {words}" if value else ""


def _card(card: Card | None, group: str, name: str) -> list[tuple[str, str]]:
    """The lines of a card with a word each; [] for what is no plug-in here any more."""
    try:
        lines = list(card(group, name)) if card else []
    except UserError:
        return []
    found = [("what it does", lines[0].partition(": ")[2])] if lines else []
    for line in filter(None, lines[1:]):
        begins = WORD.match(line)
        if begins:
            found.append((begins[1].strip(), begins[2].strip()))
        else:
            word, text = found.pop()
            found.append((word, f"{text} {line.strip()}"))
    return found


def _anchor(title: str) -> str:
    return re.sub(r"[^\w]+", "-", title.lower()).strip("-")
