"""The correlation study: what goes together with protection over many generators, and what explains it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from analysis.claims import CLAIMS, Sign
from analysis.drawing.scatter import scatter
from analysis.numbers.association import (
    COEFFICIENTS,
    FEW,
    FEWEST,
    Association,
    associate,
    caution,
    corrected,
    curvature,
    partial,
    within,
    without_one,
)
from analysis.numbers.differences import holm
from analysis.reading.measures import places
from analysis.reading.pairings import Pairing, pairings, settings_of, types_of
from analysis.reading.results import Results
from analysis.signs import is_claimed, verdict
from analysis.writing.sections import MISSING, Entry, Section, file_of, p_value, plain_table
from bench.store import Record

SIGNS = {(claim.sign.measure, claim.sign.number): claim.sign for claim in CLAIMS if claim.sign}
"""What the paper claims of a number's correlation with protection, by its measure and key."""
FILE = "-correlation"
"""How the file of all coefficients is called."""
GIVEN = ("adv_radius", "updates")
"""Settings of a generator whose influence partial correlations take away."""
PAIRING = ("measure", "number", "settings", "title", "victim", "generators", "planned")
"""What the coefficients of one pairing, which follow each other, have in common."""
NOTE = (
    "Protection is F = 1 - accuracy of the victim. Each point is a generator; its type says what perturbs "
    "the views of its noise step and of its surrogate step. [Brackets] hold 95 % BCa bootstrap "
    "intervals over generators. r without one is the least and the largest Pearson r that leaving out one generator "
    "gives. r within types is that of the differences from the mean of each type. p-values of coefficients are of "
    "permutation tests, within types of permutations inside these, those of a bend are of t-tests of the quadratic "
    "term. Each of the three kinds is corrected after Holm over the whole table."
)


def sections(results: Results) -> list[Section]:
    """One for each data set and model with measures of several generators, and one by type where these have several."""
    found = []
    for place in places(results):
        met = list(pairings(results, place))
        if max((one.planned for one in met if one.predictor.measure), default=0) >= FEWEST:
            types = types_of(results, place)
            found += [_overall(results, place, met, types), *_by_type(results, place, met, types)]
    return found


def _overall(results: Results, place: tuple[str, str], met: Sequence[Pairing], types: Mapping[str, str]) -> Section:
    flat = corrected([one for pairing in met for one in associate(pairing.first, pairing.second)])
    size = len(COEFFICIENTS)
    families = [flat[start : start + size] for start in range(0, len(flat), size)]
    beside = _beside(results, place, met, types)
    rows = [_row(*each) for each in zip(met, families, beside, strict=True)]
    head = ["number", "victim", "generators", *COEFFICIENTS, "r without one", "r given radius and updates"]
    numbers = [
        {"dataset": place[0], "model": place[1], **_numbers(pairing, one), **others, "reason": one.reason}
        for pairing, family, others in zip(met, families, beside, strict=True)
        for one in family
    ]
    return Section(
        "What goes together with protection",
        plain_table([*head, "r within types", "p of a bend"], rows, words=(0, 1)),
        context=results.context(place),
        note=NOTE + _repeats(met),
        remarks=[*_told(numbers), *_left_out(met)],
        figure=scatter([one for one in met if _sign(one)], types, f"{FILE}{file_of(place)}"),
        file=FILE,
        numbers=numbers,
        folded=max(one.planned for one in met) < FEW,
    )


def _beside(results: Results, place: tuple[str, str], met: Sequence[Pairing], types: Mapping[str, str]) -> list[Record]:
    """What is told of each pairing beside its coefficients; p-values corrected for the number of pairings."""
    inside = [within(one.first, one.second, [types[method] for method in one.methods]) for one in met]
    found = []
    for pairing in met:
        given = [settings_of(results, place, pairing.methods, key) for key in GIVEN]
        known = [column for column in given if column is not None]
        least, largest = without_one(pairing.first, pairing.second)
        alone = partial(pairing.first, pairing.second, known) if len(known) == len(given) else None
        found.append({"r_without_one_low": least, "r_without_one_high": largest, "r_given_radius_and_updates": alone})
    tests = holm([p for _, p in inside]), holm([curvature(one.first, one.second) for one in met])
    return [
        one | {"r_within_types": r, "p_within_types_holm": p, "p_of_bend_holm": bend}
        for one, (r, _), p, bend in zip(found, inside, *tests, strict=True)
    ]


def _numbers(pairing: Pairing, one: Association) -> Record:
    """A coefficient of a pairing."""
    return {
        "measure": pairing.predictor.measure,
        "number": pairing.predictor.key,
        "settings": pairing.predictor.written,
        "title": pairing.predictor.title,
        "victim": pairing.attack,
        "generators": len(pairing.first),
        "planned": pairing.planned,
        "noises": min(pairing.noises, default=1),
        "coefficient": one.coefficient,
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "p": one.p,
        "p_holm": one.p_holm,
    }


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


def _left_out(met: Sequence[Pairing]) -> Iterator[str]:
    """Which generators are no points, and why."""
    numbers: dict[tuple[str, tuple[tuple[str, str], ...]], list[Pairing]] = {}
    for pairing in met:
        numbers.setdefault((pairing.attack, tuple(pairing.left_out.items())), []).append(pairing)
    for (attack, left_out), own in numbers.items():
        if left_out:
            names = ", ".join(one.predictor.title for one in own)
            reasons = "; ".join(f"{title}: {reason}" for title, reason in left_out)
            yield f"{names}: {points(len(own[0].first), own[0].planned)} ({attack}). Left out: {reasons}."


def _sign(pairing: Pairing) -> Sign | None:
    return SIGNS.get((pairing.predictor.measure, pairing.predictor.key))


def _row(pairing: Pairing, family: Sequence[Association], beside: Record) -> list[Entry | str]:
    warning = caution(pairing.first, pairing.second)
    ends = [coefficient(beside[f"r_without_one_{end}"]) for end in ("low", "high")]
    bend = beside["p_of_bend_holm"]
    reasons = family[0].reason  # stands under all coefficients then
    few = len(pairing.first) <= FEWEST
    alone = "too few generators to leave one out" if few else "one generator is all that differs"
    others = [
        (" to ".join(dict.fromkeys(ends)), alone),
        (coefficient(beside["r_given_radius_and_updates"]), "not known of all, or they leave nothing to compare"),
        (coefficient(beside["r_within_types"], beside["p_within_types_holm"]), "types leave nothing to compare"),
        (MISSING if bend is None else p_value(bend), "no parabola can be fitted"),
    ]
    return [
        pairing.predictor.title,
        pairing.attack,
        str(len(pairing.first)),
        *(_entry(one, warning) for one in family),
        *(Entry(text, note=reason if text == MISSING and not reasons else "") for text, reason in others),
    ]


def coefficient(value: float | None, p: float | None = None) -> str:
    """A coefficient, with its p-value if it has one."""
    words = MISSING if value is None else f"{value:z.2f}"
    return words if p is None else f"{words}, p {p_value(p)}"


def _entry(one: Association, warning: str) -> Entry:
    if one.value is None or one.p_holm is None:
        return Entry(MISSING, note=one.reason)
    ends = f" [{one.low:z.2f}, {one.high:z.2f}]" if one.low is not None else ""
    return Entry(f"{one.value:z.2f}{ends}, p {p_value(one.p_holm)}", note=warning)


def points(generators: int, planned: int) -> str:
    """How many generators are points, and of how many if some are not."""
    return f"{generators} generators" if generators == planned else f"{generators} of {planned} generators"


def _told(numbers: Sequence[Record]) -> Iterator[str]:
    """What became of the signs that the paper claims."""
    for (measure, number, written, title, victim, generators, planned), own in groupby(numbers, itemgetter(*PAIRING)):
        sign = SIGNS.get((measure, number))
        if sign and is_claimed(sign, written) and (word := verdict(list(own), sign.sign)):
            yield (
                f"The paper's claim that {title} goes together with protection with a "
                f"{'positive' if sign.sign > 0 else 'negative'} sign {word} here ({victim}, "
                f"{points(generators, planned)}). {sign.reading}"
            )


def _by_type(
    results: Results, place: tuple[str, str], met: Sequence[Pairing], types: Mapping[str, str]
) -> Iterator[Section]:
    """One if a claim is on any of the numbers, and any type has enough generators."""
    tests: list[Association] = []
    beside: list[tuple[list[str], str]] = []
    largest = 0
    for pairing in met:
        if not _sign(pairing):
            continue
        for kind in dict.fromkeys(types.values()):
            inside = [place for place, method in enumerate(pairing.methods) if types[method] == kind]
            largest = max(largest, len(inside))
            pair = [[sample[place] for place in inside] for sample in (pairing.first, pairing.second)]
            tests += associate(*pair)
            beside.append(([pairing.predictor.title, pairing.attack, kind, str(len(inside))], caution(*pair)))
    tests, size = corrected(tests), len(COEFFICIENTS)
    rows: list[list[Entry | str]] = [
        [*words, *(_entry(one, warning) for one in tests[size * row : size * (row + 1)])]
        for row, (words, warning) in enumerate(beside)
    ]
    head = ["number", "victim", "type: noise step / surrogate step", "generators", *COEFFICIENTS]
    if largest >= FEWEST:
        yield Section(
            "The same within each type of generator",
            plain_table(head, rows, words=(0, 1, 2)),
            context=results.context(place),
            note="A correlation over all generators mixes the effect of their design with that of the number. p-values "
            "are of permutation tests, corrected after Holm over this table.",
            folded=True,
        )
