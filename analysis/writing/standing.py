"""Which rows of a column are the best, which cannot be told from it, and what so many runs could tell at all."""

from collections.abc import Sequence

from analysis.numbers.differences import Resolution, resolution, tied
from analysis.reading.conditions import ConditionResult
from analysis.writing.sections import percent

BEST, TIED, LOWEST = "best", "tied with the best", "lowest of single runs"
Standings = dict[tuple[str, str], str]
"""By method and attack; a row that is none of the three has no entry."""


def standings(conditions: Sequence[ConditionResult], quantity: str) -> Standings:
    """The best of each column (attack) of one data set and model, and what is tied with it.

    A column in which a protecting row lacks results has no best. Nor has one whose lowest row is not below the
    unprotected one, or cannot be told from it or from any other. Victims that never left chance are no protection.
    """
    found: Standings = {}
    for attack, column in columns_of(conditions).items():
        rows = {one.label["method"]: one for one in column if one.estimates[quantity] and not one.collapsed}
        best = _best(rows, quantity)
        if best is None or _lacking(column, quantity):
            continue
        runs = {method: one.runs(quantity) for method, one in rows.items()}
        tested = len(runs[best].units) > 1
        others = tied(best, runs) if tested else set()
        unprotected = {method for method, one in rows.items() if one.is_clean}
        if tested and (others & unprotected or len(others) == len(runs) - 1):
            continue
        found[best, attack] = BEST if tested else LOWEST
        found |= {(method, attack): TIED for method in others}
    return found


def standing_lines(conditions: Sequence[ConditionResult], quantity: str) -> list[str]:
    """What stands under a table about its best rows, its ties and the smallest difference that it could show."""
    standing = standings(conditions, quantity)
    found = set(standing.values())
    lines = []
    if TIED in found:
        lines.append(
            "Rows in italics cannot be told from the best of their column: tests paired by seed, or Welch's where "
            "one has more noises, Holm-corrected, at 5 %."
        )
    if LOWEST in found:
        lines.append("Where the lowest is a single run, bold is only the lowest: no test can tell it from another row.")
    columns = columns_of(conditions)
    seen = resolution([{one.label["method"]: one.runs(quantity) for one in column} for column in columns.values()])
    lines += [resolution_line(seen)] if seen else []
    lacking = [
        column[0].attack.title for column in columns.values() if _lacking(column, quantity) and _compares(column)
    ]
    marked = {attack for _, attack in standing}
    alike = [
        column[0].attack.title
        for attack, column in columns.items()
        if attack not in marked and not _lacking(column, quantity) and _compares(column)
    ]
    if alike:
        lines.append(
            "No best is marked where the lowest row is not shown to be below clean images, or below any other: "
            f"{', '.join(alike)}."
        )
    if lacking:
        lines.append(f"No best is marked where a protecting row lacks results: {', '.join(lacking)}.")
    return lines


def resolution_line(seen: Resolution) -> str:
    """The smallest difference in words."""
    return (
        f"The smallest difference of two rows that {seen.count} {seen.over} each could show is "
        f"{percent(seen.difference)} points, for a single paired test at 5 % with a power of 80 % and pooled spread. "
        "Ties are of a whole column, which takes more: a row in italics may well differ from the best."
    )


def columns_of(conditions: Sequence[ConditionResult]) -> dict[str, list[ConditionResult]]:
    """The conditions that apply, by the label of their attack."""
    found: dict[str, list[ConditionResult]] = {}
    for one in conditions:
        if not one.declined:
            found.setdefault(one.label["attack"], []).append(one)
    return found


def _best(rows: dict[str, ConditionResult], quantity: str) -> str | None:
    """The lowest protecting row, if it is below the unprotected one."""
    means = {method: value.mean for method, one in rows.items() if (value := one.estimates[quantity])}
    protected = [method for method, one in rows.items() if not one.control]
    lowest = min(protected, key=lambda method: means[method], default=None)
    clean = min((means[method] for method, one in rows.items() if one.is_clean), default=1.0)
    return lowest if lowest is not None and means[lowest] < clean else None


def _lacking(column: Sequence[ConditionResult], quantity: str) -> bool:
    """Whether any protecting row of a column lacks a result, or what it is read against."""
    return any(one.finished < one.planned or not one.estimates[quantity] for one in column if not one.control)


def _compares(column: Sequence[ConditionResult]) -> bool:
    """Whether any two protecting rows of a column have results."""
    return sum(bool(one.finished) for one in column if not one.control) > 1
