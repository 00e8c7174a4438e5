"""The numbers that measures found of the noises of each method."""

from collections import Counter
from collections.abc import Iterable

from analysis.numbers.estimates import Estimate, estimate_over_noises
from analysis.reading.results import Measured, Results
from bench.core.settings import is_number


def places(results: Results) -> list[tuple[str, str]]:
    """Data sets and models that have measures, in the plan's order."""
    return list(dict.fromkeys(one.place for one in results.measured))


TIMED = "generation_time"
"""The measure of what noise costs, which says nothing of what it does."""
P_VALUE = "_p"
"""What the keys of p-values end with, whose mean over noises says nothing."""
Way = tuple[str, str]
"""The name of a measure, and its title, which says what varies."""


def generators(results: Results, place: tuple[str, str]) -> dict[str, dict[Way, Measured]]:
    """What is measured of each method, by its label. Two ways to write the same cells are one, the first."""
    here = [one for one in results.measured if one.place == place]
    same = _first_ways(here)
    methods: dict[str, dict[Way, Measured]] = {}
    for one in here:
        methods.setdefault(one.label, {}).setdefault(same.get(_way(one), _way(one)), one)
    return methods


def _first_ways(measured: Iterable[Measured]) -> dict[Way, Way]:
    """The first way that has the same cells, by each way that has any."""
    first: dict[tuple[str, ...], Way] = {}
    return {_way(one): first.setdefault(tuple(one.keys), _way(one)) for one in measured if one.keys}


def _way(one: Measured) -> Way:
    return one.measure, one.title


def titles(methods: dict[str, dict[Way, Measured]]) -> dict[tuple[Way, str], str]:
    """What tables call each number, by its measure and its key; if several ways have one of that name, with its way."""
    every = {way: one for measures in methods.values() for way, one in measures.items()}
    count = Counter(title for one in every.values() for title in set(one.numbers.values()))
    return {
        (way, number): f"{title}, {way[1]}" if count[title] > 1 else title
        for way, one in every.items()
        for number, title in one.numbers.items()
    }


def value(one: Measured, number: str, noises: int | None = None) -> Estimate | None:
    """A number of a measure over the first so many noises of its method, else over all; None if none has it."""
    values = found(one, number)[:noises]
    return estimate_over_noises(values, len(values))


def counted(one: Measured, number: str, noises: int | None = None) -> int:
    """How many of these noises have the number."""
    return sum(each is not None for each in found(one, number)[:noises])


def found(one: Measured, number: str) -> list[float | None]:
    """The number of each noise, None of one that lacks it."""
    values = [None if result is None else result.get(number) for result in one.found]
    return [each if is_number(each) else None for each in values]
