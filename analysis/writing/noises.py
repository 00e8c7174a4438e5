"""Entries of tables of measures: a number of a method, over its noises."""

from collections.abc import Sequence

from analysis.numbers.estimates import estimate_over_noises
from analysis.writing.sections import MISSING, Entry

INTERVALS = "± is half of the 95 % Student interval of the mean over noises."
SCIENTIFIC_FROM = 1e9
"""From which on a number is written with a power of ten."""


def over_noises(values: Sequence[float | None], keys: Sequence[str]) -> Entry:
    """The mean of what each noise has, with its interval; a note tells of noises that have nothing.

    `keys` are those of their cells.
    """
    estimate = estimate_over_noises(values, len(values))
    if estimate is None:
        return Entry(MISSING)
    size = abs(estimate.mean) or estimate.half_width or 0
    form = "z,.3f" if 0 < size < 10 else "z,.1f" if 0 < size < 100 else "z,.0f" if size < SCIENTIFIC_FROM else ".2e"
    half_width = "" if estimate.half_width is None else f"{estimate.half_width:{form}}"
    known = len(values) - values.count(None)
    note = f"{known} of {len(values)} noises" if known < len(values) else ""
    return Entry(f"{estimate.mean:{form}}", half_width, note=note, keys=keys)
