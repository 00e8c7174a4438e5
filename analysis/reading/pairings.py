"""The points of the correlation study: a number of each generator, and what its noise protects from."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from analysis.numbers.estimates import Estimate
from analysis.reading.conditions import ConditionResult
from analysis.reading.measures import P_VALUE, TIMED, counted, generators, titles, value
from analysis.reading.published import number
from analysis.reading.results import Measured, Results

PROTECTION = "F"
"""How measures call protection, which would be paired with itself."""
STEPS = ("noise_step", "surrogate_step")
"""Settings that say what perturbs the views of each step."""


@dataclass(frozen=True)
class Predictor:
    """A number of every generator."""

    measure: str
    """The name of its measure; empty for what every record has."""
    key: str
    title: str
    of: Callable[[ConditionResult], Estimate | None]
    """The number of the generator behind a condition, over the noises of this condition; None if it has none."""
    written: str = ""
    """The settings of its measure that the grid writes, at paper scale: `adv_radius=4/255`."""


@dataclass(frozen=True)
class Pairing:
    """A predictor against protection from one kind of training, over the generators that have both."""

    predictor: Predictor
    attack: str
    first: list[float]
    second: list[float]
    methods: list[str]
    widths: tuple[list[float], list[float]]
    """Half of the 95 % interval of each of the first, and of the second; 0 if there is none."""
    noises: list[int]
    """Of how many noises each generator is."""
    left_out: dict[str, str]
    """Why the others are no points, by the title of the generator."""

    @property
    def planned(self) -> int:
        """The generators that were to be points."""
        return len(self.first) + len(self.left_out)


def pairings(results: Results, place: tuple[str, str]) -> Iterator[Pairing]:
    """Every number of the generators with protection from every kind of training."""
    conditions = _generators(results, place)
    attacks = list(dict.fromkeys(one.label["attack"] for one in conditions))
    for predictor in _predictors(results, place):
        for attack in attacks:
            met: list[tuple[ConditionResult, Estimate, Estimate]] = []
            left_out: dict[str, str] = {}
            for one in conditions:
                if one.label["attack"] != attack:
                    continue
                known, accuracy = predictor.of(one), one.accuracy
                if known and accuracy and one.is_comparable:
                    met.append((one, known, accuracy))
                else:
                    left_out[one.method.title] = _objection(one, predictor.title)
            yield Pairing(
                predictor,
                results.title(attack),
                [known.mean for _, known, _ in met],
                [1 - accuracy.mean for *_, accuracy in met],
                [one.label["method"] for one, *_ in met],
                ([_width(known) for _, known, _ in met], [_width(accuracy) for *_, accuracy in met]),
                [one.noises for one, *_ in met],
                left_out,
            )


def _generators(results: Results, place: tuple[str, str]) -> list[ConditionResult]:
    """A condition for each generator and attack: two ways to write the same cells are one generator."""
    found: dict[tuple[str, ...], ConditionResult] = {}
    for one in results.conditions:
        if one.place == place and not one.control and not one.declined:
            found.setdefault(tuple(one.keys) or tuple(one.label.values()), one)
    return list(found.values())


def _objection(one: ConditionResult, number: str) -> str:
    """Why a generator is no point."""
    if one.collapsed:
        return "a victim stayed at chance"
    if one.finished < one.planned:
        return "victims failed" if one.failed else "victims are missing"
    return f"no {number}"


def _predictors(results: Results, place: tuple[str, str]) -> Iterator[Predictor]:
    found = generators(results, place)
    for (way, key), title in titles(found).items():
        if way[0] != TIMED and title != PROTECTION and not key.endswith(P_VALUE):
            own = {method: measures[way] for method, measures in found.items() if way in measures}
            written = next(iter(own.values())).written_out
            yield Predictor(way[0], key, title, partial(_measured, own, key), written)
    for key, title in (("noise_psnr", "PSNR"), ("noise_passes", "passes of generation")):
        yield Predictor("", key, title, partial(_estimated, key))


def _measured(methods: Mapping[str, Measured], key: str, one: ConditionResult) -> Estimate | None:
    own = methods.get(one.label["method"])
    return value(own, key, one.noises) if own and counted(own, key, one.noises) == one.noises else None


def _estimated(key: str, one: ConditionResult) -> Estimate | None:
    return one.estimates[key]


def _width(known: Estimate) -> float:
    return known.half_width or 0.0


def settings_of(results: Results, place: tuple[str, str], methods: Sequence[str], key: str) -> list[float] | None:
    """A setting of some methods as numbers, as their cells have it; None if some method has none.

    The radius of an adversary that no step has is 0.
    """
    made = {one.label["method"]: one.made for one in results.conditions if one.place == place}
    values = [
        0.0
        if key == "adv_radius" and all(made[method].get(step) == "none" for step in STEPS)
        else number(str(made[method].get(key)))
        for method in methods
    ]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None


def types_of(results: Results, place: tuple[str, str]) -> dict[str, str]:
    """What perturbs the views in the noise step and in the surrogate step of each generator: `random / PGD`.

    Its title where nothing does, or where it is the only one of its type. Controls have none.
    """
    made = {one.label["method"]: one for one in results.conditions if one.place == place and not one.control}
    steps = {
        method: " / ".join(_kind(one.paper["method"][key]) for key in STEPS if key in one.paper["method"])
        for method, one in made.items()
    }
    counts = Counter(steps.values())
    return {method: kind if kind and counts[kind] > 1 else made[method].method.title for method, kind in steps.items()}


def _kind(perturbation: str) -> str:
    """What tables call what perturbs the views of a step."""
    return perturbation if perturbation in ("none", "random") else perturbation.upper()
