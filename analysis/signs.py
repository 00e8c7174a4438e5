"""What the coefficients of a correlation say of the sign that the paper claims."""

from collections.abc import Sequence

from analysis.claims import FAILS, HOLDS, UNSURE, Sign
from analysis.numbers.differences import LEVEL, holm
from analysis.reading.published import equal, parse
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
