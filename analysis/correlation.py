"""The correlation study: what goes together with protection over many generators, and what explains it."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from analysis.claims import CLAIMS, FAILS, HOLDS, UNSURE
from analysis.drawing.scatter import scatter
from analysis.numbers.association import (
    COEFFICIENTS,
    FEWEST,
    Association,
    associate,
    caution,
    corrected,
    curvature,
    partial,
)
from analysis.reading.measures import places
from analysis.reading.pairings import Pairing, pairings, settings_of, types_of
from analysis.reading.results import Results
from analysis.writing.sections import MISSING, Entry, Section, file_of, plain_table
from bench.store import Record

SIGNS = {claim.sign.number: claim.sign.sign for claim in CLAIMS if claim.sign}
"""The sign that the paper claims for the correlation of a number with protection."""
FILE = "-correlation"
"""How the file of all coefficients is called."""
GIVEN = ("adv_radius", "updates")
"""Settings of a generator whose influence partial correlations take away."""
PAIRING = ("number", "title", "victim", "generators")
"""What the coefficients of one pairing, which follow each other, have in common."""
SIGNIFICANT = 0.05
NOTE = (
    "Protection is F = 1 - accuracy of the victim. Each point is a generator; its type says what perturbs "
    "the views of its noise step and of its surrogate step. [Brackets] hold 95 % BCa bootstrap "
    "intervals over generators. p-values are of permutation tests, corrected after Holm over the whole table."
)


def sections(results: Results) -> list[Section]:
    """One for each data set and model with measures of several generators, and one by type of generator."""
    found = []
    for place in places(results):
        met = list(pairings(results, place))
        if max((len(one.first) for one in met), default=0) >= FEWEST:
            found += [_overall(results, place, met), *_by_type(results, place, met)]
    return found


def _overall(results: Results, place: tuple[str, str], met: Sequence[Pairing]) -> Section:
    flat = corrected([one for pairing in met for one in associate(pairing.first, pairing.second)])
    size = len(COEFFICIENTS)
    families = [flat[start : start + size] for start in range(0, len(flat), size)]
    rows = [_row(results, place, *both) for both in zip(met, families, strict=True)]
    head = ["number", "victim", "generators", *COEFFICIENTS, "r given radius and updates", "p of a bend"]
    numbers = [
        {
            "dataset": place[0],
            "model": place[1],
            "number": pairing.predictor.key,
            "title": pairing.predictor.title,
            "victim": pairing.attack,
            "generators": len(pairing.first),
            "noises": min(pairing.noises, default=1),
            "coefficient": one.coefficient,
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "p_holm": one.p,
            "reason": one.reason,
        }
        for pairing, family in zip(met, families, strict=True)
        for one in family
    ]
    return Section(
        "What goes together with protection",
        plain_table(head, rows, words=(0, 1)),
        context=results.context(place),
        note=NOTE + _repeats(met),
        remarks=[*_told(numbers)],
        figure=scatter(
            [one for one in met if one.predictor.key in SIGNS],
            types_of(results, place),
            f"{FILE}{file_of(place)}",
        ),
        file=FILE,
        numbers=numbers,
    )


def _repeats(met: Sequence[Pairing]) -> str:
    """Which points are means over noises."""
    noises: dict[str, int] = {}
    for pairing in met:
        for method, count in zip(pairing.methods, pairing.noises, strict=True):
            noises[method] = max(count, noises.get(method, 1))
    repeated = [count for count in noises.values() if count > 1]
    if not repeated:
        return " Each generator made one noise."
    several = f"up to {max(repeated)} noises: their points are means over those that their victims met"
    return f" {len(repeated)} of {len(noises)} generators made {several}."


def _row(
    results: Results, place: tuple[str, str], pairing: Pairing, family: Sequence[Association]
) -> list[Entry | str]:
    warning = caution(pairing.first, pairing.second)
    given = [settings_of(results, place, pairing.methods, key) for key in GIVEN]
    known = [column for column in given if column is not None]
    alone = partial(pairing.first, pairing.second, known) if len(known) == len(given) else None
    bend = curvature(pairing.first, pairing.second)
    return [
        pairing.predictor.title,
        pairing.attack,
        str(len(pairing.first)),
        *(_entry(one, warning) for one in family),
        MISSING if alone is None else f"{alone:.2f}",
        MISSING if bend is None else f"{bend:.3f}",
    ]


def _entry(one: Association, warning: str) -> Entry:
    if one.value is None:
        return Entry(MISSING, note=one.reason)
    ends = f" [{one.low:.2f}, {one.high:.2f}]" if one.low is not None else ""
    return Entry(f"{one.value:.2f}{ends}, p {one.p:.3f}", note=warning)


def verdict(numbers: Sequence[Record], sign: int) -> str:
    """What the coefficients of one pairing say of a claimed sign, with p-values corrected; empty without any.

    It holds if all have that sign and are significant. It does not hold if one is significant with the other sign.
    """
    told = [sign * one["value"] for one in numbers if one["value"] is not None and one["p_holm"] is not None]
    sure = [sign * one["value"] for one in numbers if one["p_holm"] is not None and one["p_holm"] < SIGNIFICANT]
    if not told:
        return ""
    if any(value < 0 for value in sure):
        return FAILS
    return HOLDS if len(sure) == len(told) else UNSURE


def _told(numbers: Sequence[Record]) -> Iterator[str]:
    """What became of the signs that the paper claims."""
    for (number, title, victim, generators), own in groupby(numbers, itemgetter(*PAIRING)):
        sign = SIGNS.get(number, 0)
        if sign and (word := verdict(list(own), sign)):
            yield (
                f"The paper's claim that {title} goes together with protection with a "
                f"{'positive' if sign > 0 else 'negative'} sign {word} here ({victim}, {generators} generators)."
            )


def _by_type(results: Results, place: tuple[str, str], met: Sequence[Pairing]) -> Iterator[Section]:
    """One if a claim is on any of the numbers."""
    types = types_of(results, place)
    rows: list[list[Entry | str]] = []
    for pairing in met:
        if pairing.predictor.key not in SIGNS:
            continue
        for kind in dict.fromkeys(types.values()):
            inside = [place for place, method in enumerate(pairing.methods) if types[method] == kind]
            pair = [[sample[place] for place in inside] for sample in (pairing.first, pairing.second)]
            entries = [_entry(one, caution(*pair)) for one in corrected(associate(*pair))]
            rows.append([pairing.predictor.title, pairing.attack, kind, str(len(inside)), *entries])
    head = ["number", "victim", "type of generator", "generators", *COEFFICIENTS]
    if rows:
        yield Section(
            "The same within each type of generator",
            plain_table(head, rows, words=(0, 1, 2)),
            context=results.context(place),
            note="A correlation over all generators mixes the effect of their design with that of the number.",
            folded=True,
        )
