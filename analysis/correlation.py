"""The correlation study: what goes together with protection over many generators, and what explains it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.association import FEWEST, Association, associate, caution, corrected, curvature, partial
from analysis.measured import generators, places, value
from analysis.results import ConditionResult, Results
from analysis.scatter import scatter
from analysis.sections import MISSING, Entry, Section, plain_table

CLAIMS = {"r_theta": 1, "r_delta_u": -1}
"""The sign that the paper claims for the correlation of a number with protection."""
GIVEN = ("adv_radius", "updates")
"""Settings of a generator whose influence partial correlations take away."""
SIGNIFICANT = 0.05
NOTE = (
    "Protection is F = 1 - accuracy of the victim. Each point is a generator. [Brackets] hold 95 % BCa bootstrap "
    "intervals over generators. p-values are of permutation tests, corrected after Holm over the whole table."
)


@dataclass(frozen=True)
class Predictor:
    """A number of every generator."""

    key: str
    title: str
    values: dict[str, float]
    """By the label of the method."""


@dataclass(frozen=True)
class Pairing:
    """A predictor against protection from one kind of training, over the generators that have both."""

    predictor: Predictor
    attack: str
    first: list[float]
    second: list[float]
    methods: list[str]


def sections(results: Results) -> list[Section]:
    """One for each data set and model with measures of several generators, and one by type of generator."""
    found = []
    for place in places(results):
        pairings = list(_pairings(results, place))
        if pairings and max(len(one.first) for one in pairings) >= FEWEST:
            found += [_overall(results, place, pairings), _by_type(results, place, pairings)]
    return found


def _pairings(results: Results, place: tuple[str, str]) -> Iterator[Pairing]:
    conditions = [one for one in results.conditions if one.place == place and not one.control]
    attacks = list(dict.fromkeys(one.label["attack"] for one in conditions))
    for predictor in _predictors(results, place, conditions):
        for attack in attacks:
            met = [
                (one.label["method"], 1 - accuracy.mean)
                for one in conditions
                if one.label["attack"] == attack
                and (accuracy := one.estimates["final_accuracy"])
                and one.label["method"] in predictor.values
            ]
            methods = [method for method, _ in met]
            yield Pairing(
                predictor,
                results.title(attack),
                [predictor.values[method] for method in methods],
                [protection for _, protection in met],
                methods,
            )


def _predictors(results: Results, place: tuple[str, str], conditions: Sequence[ConditionResult]) -> Iterator[Predictor]:
    measured = generators(results, place)
    numbers = {
        (one.measure, key): title
        for measures in measured.values()
        for one in measures.values()
        for key, title in one.numbers.items()
    }
    protecting = {one.label["method"] for one in conditions}
    for (measure, key), title in numbers.items():
        values = {
            method: estimate.mean
            for method, measures in measured.items()
            if method in protecting and measure in measures and (estimate := value(measures[measure], key))
        }
        yield Predictor(key, title, values)
    for key, title in (("noise_psnr", "PSNR"), ("noise_passes", "passes of generation")):
        values = {one.label["method"]: known.mean for one in conditions if (known := one.estimates[key])}
        yield Predictor(key, title, values)


def _overall(results: Results, place: tuple[str, str], pairings: Sequence[Pairing]) -> Section:
    tested = [associate(one.first, one.second) for one in pairings]
    flat = corrected([one for family in tested for one in family])
    families = [flat[start : start + 3] for start in range(0, len(flat), 3)]
    settings = _settings(results, place)
    rows: list[list[Entry | str]] = []
    for pairing, family in zip(pairings, families, strict=True):
        given = [[settings[method].get(key) for method in pairing.methods] for key in GIVEN]
        known = [[float(one) for one in column if one is not None] for column in given]
        alone = partial(pairing.first, pairing.second, known) if all(map(_whole, given)) else None
        bend = curvature(pairing.first, pairing.second)
        rows.append(
            [
                Entry(pairing.predictor.title),
                Entry(pairing.attack),
                str(len(pairing.first)),
                *(_entry(one, caution(pairing.first, pairing.second)) for one in family),
                MISSING if alone is None else f"{alone:.2f}",
                MISSING if bend is None else f"{bend:.3f}",
            ]
        )
    head = ["number", "victim", "generators", *(one.coefficient for one in families[0])]
    head += ["r given radius and updates", "p of a bend"]
    return Section(
        "What goes together with protection",
        plain_table(head, rows, words=(0, 1)),
        context=results.context(place),
        note=NOTE,
        remarks=[*_verdicts(pairings, families)],
        figure=scatter([one for one in pairings if one.predictor.key in CLAIMS], _types(results, place)),
        file="-correlation",
        numbers=[
            {
                "dataset": place[0],
                "model": place[1],
                "number": pairing.predictor.key,
                "victim": pairing.attack,
                "generators": len(pairing.first),
                "coefficient": one.coefficient,
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "p_holm": one.p,
                "reason": one.reason,
            }
            for pairing, family in zip(pairings, families, strict=True)
            for one in family
        ],
    )


def _entry(one: Association, warning: str) -> Entry:
    if one.value is None:
        return Entry(MISSING, note=one.reason)
    ends = f" [{one.low:.2f}, {one.high:.2f}]" if one.low is not None else ""
    return Entry(f"{one.value:.2f}{ends}, p {one.p:.3f}", note=warning)


def _verdicts(pairings: Sequence[Pairing], families: Sequence[Sequence[Association]]) -> Iterator[str]:
    """What became of the signs that the paper claims."""
    for pairing, family in zip(pairings, families, strict=True):
        sign = CLAIMS.get(pairing.predictor.key)
        told = [one for one in family if one.value is not None and one.p is not None]
        if sign is None or not told:
            continue
        claimed = "positive" if sign > 0 else "negative"
        agree = [one for one in told if sign * (one.value or 0) > 0 and (one.p or 0) < SIGNIFICANT]
        oppose = [one for one in told if sign * (one.value or 0) < 0 and (one.p or 0) < SIGNIFICANT]
        if len(agree) == len(told):
            verdict = "holds here"
        elif oppose:
            verdict = "is contradicted here"
        else:
            verdict = "cannot be told here"
        yield (
            f"The paper's claim that {pairing.predictor.title} goes together with protection with a {claimed} sign "
            f"{verdict} ({pairing.attack}, {len(pairing.first)} generators)."
        )


def _by_type(results: Results, place: tuple[str, str], pairings: Sequence[Pairing]) -> Section:
    types = _types(results, place)
    rows: list[list[Entry | str]] = []
    for pairing in pairings:
        if pairing.predictor.key not in CLAIMS:
            continue
        for kind in dict.fromkeys(types.values()):
            inside = [place for place, method in enumerate(pairing.methods) if types[method] == kind]
            pair = [[sample[place] for place in inside] for sample in (pairing.first, pairing.second)]
            entries = [_entry(one, caution(*pair)) for one in corrected(associate(*pair))]
            rows.append([pairing.predictor.title, pairing.attack, kind, str(len(inside)), *entries])
    head = ["number", "victim", "type of generator", "generators", "Pearson r", "Spearman rho", "Kendall tau-b"]
    return Section(
        "The same within each type of generator",
        plain_table(head, rows, words=(0, 1, 2)),
        context=results.context(place),
        note="A correlation over all generators mixes the effect of their design with that of the number.",
        folded=True,
    )


def _settings(results: Results, place: tuple[str, str]) -> dict[str, dict[str, float | None]]:
    """The settings of GIVEN of each method, as it was run."""
    found: dict[str, dict[str, float | None]] = {}
    for one in results.conditions:
        if one.place == place:
            found[one.label["method"]] = {key: number_of(one.paper["method"].get(key)) for key in GIVEN}
    return found


def _types(results: Results, place: tuple[str, str]) -> dict[str, str]:
    """What perturbs the views of each generator's steps, else its title."""
    return {
        one.label["method"]: " / ".join(
            str(one.paper["method"][key]) for key in ("noise_step", "surrogate_step") if key in one.paper["method"]
        )
        or one.method.title
        for one in results.conditions
        if one.place == place
    }


def _whole(column: Sequence[float | None]) -> bool:
    return all(value is not None for value in column)


def number_of(text: object) -> float | None:
    """A setting as a number, fractions too; None if it is none."""
    from analysis.published import number

    return None if text is None else number(str(text))
