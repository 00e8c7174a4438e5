"""The points of the correlation study: a number of each generator, and what its noise protects from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan

from analysis.estimates import Estimate
from analysis.measured import generators, titles, value
from analysis.published import number
from analysis.results import ConditionResult, Results


@dataclass(frozen=True)
class Predictor:
    """A number of every generator."""

    key: str
    title: str
    values: dict[str, Estimate]
    """By the label of the method."""


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


def pairings(results: Results, place: tuple[str, str]) -> Iterator[Pairing]:
    """Every number of the generators with protection from every kind of training."""
    conditions = [one for one in results.conditions if one.place == place and not one.control]
    attacks = list(dict.fromkeys(one.label["attack"] for one in conditions))
    for predictor in _predictors(results, place, conditions):
        for attack in attacks:
            met = [
                (one.label["method"], accuracy, one.noises)
                for one in conditions
                if one.label["attack"] == attack
                and (accuracy := one.estimates["final_accuracy"])
                and one.label["method"] in predictor.values
            ]
            methods = [method for method, *_ in met]
            known = [predictor.values[method] for method in methods]
            yield Pairing(
                predictor,
                results.title(attack),
                [one.mean for one in known],
                [1 - accuracy.mean for _, accuracy, _ in met],
                methods,
                (list(map(_width, known)), [_width(accuracy) for _, accuracy, _ in met]),
                [noises for *_, noises in met],
            )


def _predictors(results: Results, place: tuple[str, str], conditions: Sequence[ConditionResult]) -> Iterator[Predictor]:
    measured = generators(results, place)
    protecting = {one.label["method"] for one in conditions}
    for (measure, key), title in titles(measured).items():
        values = {
            method: estimate
            for method, measures in measured.items()
            if method in protecting and measure in measures and (estimate := value(measures[measure], key))
        }
        yield Predictor(key, title, values)
    for key, title in (("noise_psnr", "PSNR"), ("noise_passes", "passes of generation")):
        values = {one.label["method"]: known for one in conditions if (known := one.estimates[key])}
        yield Predictor(key, title, values)


def _width(known: Estimate) -> float:
    width = known.half_width
    return 0.0 if width is None or isnan(width) else width


def settings_of(results: Results, place: tuple[str, str], methods: Sequence[str], key: str) -> list[float] | None:
    """A setting of some methods as numbers; None if some method has none."""
    written = {one.label["method"]: one.paper["method"].get(key) for one in results.conditions if one.place == place}
    values = [number(str(written[method])) for method in methods]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None


def types_of(results: Results, place: tuple[str, str]) -> dict[str, str]:
    """What perturbs the views of each generator's steps, else its title."""
    return {
        one.label["method"]: " / ".join(
            str(one.paper["method"][key]) for key in ("noise_step", "surrogate_step") if key in one.paper["method"]
        )
        or one.method.title
        for one in results.conditions
        if one.place == place
    }
