"""What the coefficients of a correlation say of the sign that the paper claims, and the cells behind them."""

from collections.abc import Iterator, Sequence

from analysis.claims import FAILS, HOLDS, UNSURE, Sign
from analysis.numbers.differences import LEVEL, holm
from analysis.reading.conditions import ConditionResult
from analysis.reading.published import equal, parse
from analysis.reading.results import Measured
from bench.store import Record


def is_claimed(sign: Sign, written: str) -> bool:
    """Whether the settings of a measure that a grid writes are those of the claim."""
    [(_, settings)] = parse(f"{sign.measure} {written}")
    return all(equal(dict(sign.settings).get(key), value) for key, value in settings.items())


def verdict(numbers: Sequence[Record], sign: int) -> str:
    """What the coefficients of one pairing say of a claimed sign; empty without any.

    As for other claims, it holds if all have that sign by their interval and their test, and does not hold if one has
    the other sign, Holm-corrected for their number. Neither is said against the sign within the types of generators:
    then what goes together with protection is the type.
    """
    known = [one for one in numbers if one["value"] is not None and one["p"] is not None]
    if not known:
        return ""
    values, found = [sign * one["value"] for one in known], [one["p"] for one in known]
    within = [sign * one["r_within_types"] for one in known if one["r_within_types"] is not None]
    against = any(value < 0 and p is not None and p < LEVEL for value, p in zip(values, holm(found), strict=True))
    if against:
        return FAILS if all(value < 0 for value in within) else UNSURE
    ends = [sign * end for one in known for end in (one["low"], one["high"]) if end is not None]
    sure = all(value > 0 for value in (*values, *ends)) and max(found) < LEVEL
    return HOLDS if sure and all(value > 0 for value in within) else UNSURE


def cells_behind(
    sign: Sign, conditions: Sequence[ConditionResult], measured: Sequence[Measured], victim: str
) -> Iterator[str]:
    """Keys of the generators' victims under the attack of that title, then of the measures of their noises."""
    generators = [one for one in conditions if one.attack.title == victim and not one.control]
    labels = {one.label["method"] for one in generators}
    yield from (key for one in generators for key in one.keys)
    for one in measured:
        if one.measure == sign.measure and one.label in labels and is_claimed(sign, one.written_out):
            yield from one.keys
