"""Entries of tables of measures: a number of a method, over its noises."""

from collections.abc import Sequence
from dataclasses import replace

from analysis.numbers.estimates import estimate_over_noises
from analysis.reading.measures import P_VALUE
from analysis.writing.sections import MISSING, Entry, p_value
from bench.words import SCIENTIFIC_FROM

INTERVALS = "± is half of the 95 % Student interval of the mean over noises."


def over_noises(key: str, values: Sequence[float | None], keys: Sequence[str]) -> Entry:
    """The mean of what each noise has, with its interval; a note tells of noises that have nothing.

    Of p-values, whose mean would say nothing, it is the least and the largest: a number is one if its `key` ends with
    `P_VALUE`. `keys` are those of the noises' cells.
    """
    known = [value for value in values if value is not None]
    if not known:
        return Entry(MISSING)
    note = f"{len(known)} of {len(values)} noises" if len(known) < len(values) else ""
    if key.endswith(P_VALUE):
        ends = dict.fromkeys(map(p_value, (min(known), max(known))))
        return Entry(" to ".join(ends), note=note, keys=keys)
    return replace(_mean(values), note=note, keys=keys)


def _mean(values: Sequence[float | None]) -> Entry:
    estimate = estimate_over_noises(values, len(values))
    assert estimate is not None  # one noise at least has a number
    size = abs(estimate.mean) or estimate.half_width or 0
    form = "z,.3f" if 0 < size < 10 else "z,.1f" if 0 < size < 100 else "z,.0f" if size < SCIENTIFIC_FROM else ".2e"
    return Entry(f"{estimate.mean:{form}}", "" if estimate.half_width is None else f"{estimate.half_width:{form}}")
