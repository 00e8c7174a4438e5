"""The study of best responses: for each method the attack that recovers most."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from statistics import fmean

from analysis.numbers.differences import resolution
from analysis.numbers.rank_correlation import correlation_words, rank_correlation
from analysis.reading.collapse import COLLAPSED
from analysis.reading.conditions import PLAIN, ConditionResult, by_place
from analysis.reading.controls import against_clean, answers_among, over_common_runs
from analysis.reading.league import ANY, FILE, FREE, condition_of, league, names, protections, ranked
from analysis.reading.results import Results
from analysis.reading.stopping import stopped
from analysis.writing.sections import MISSING, Entry, Section, Table, percent, plain_table, share_entry
from analysis.writing.standing import resolution_line
from bench.store import Record

LEAST_ATTACKS = 6
"""So many different attacks make a best response worth the name; radii of one attack are one."""
HALVES = {FREE: "best attack that assumes nothing", ANY: "best attack of all"}
NOTE = (
    "For each method the attack that recovers most, in percent, what share that is of what the same attack reaches on "
    "clean images (above 100, it does better on the protected ones), and of what the best attack reaches there; the "
    "strongest protection first, by the attacks that assume nothing but the released images and their labels. Each "
    "noise has its own best attack: half of its victims chooses it, the other half values it, in every split; "
    "intervals by victims are those of one split, and the correction says how many points that takes off the best. "
    "Methods of a group cannot be told from its first one: tests paired by seed, or Welch's where one has more "
    "noises, Holm-corrected, at 5 %. A method whose attacks met different numbers of noises or victims is judged by "
    "those that all of them met. Ranks have 95 % bootstrap intervals. Where a method has one noise, neither these nor "
    "groups say anything of a second one. A method on which attacks are missing stands apart and has no rank: what is "
    "known of it is a lower bound. Early stopping is an attack for each clean share of its validation set: training "
    "to the end, then going back to the look that was best on that set. Partial poisoning is no answer of the "
    "trainer, who does not choose what is released. Attacks that assume more have columns of their own if one of them "
    "recovers more."
)
ONE_VICTIM = (
    "one victim of a noise chooses the best attack and values it, so no correction is possible: these accuracies are "
    "too high by an unknown amount"
)
UNTESTED = ", ranks have no interval, and no two methods can be told apart"


def sections(results: Results) -> list[Section]:
    """One, if enough attacks are met: it says what accuracy without attack says of it, and what has no result."""
    conditions = stopped(results)
    met = _met(conditions)
    rows = [row for own in met for row in league(own)]
    if not rows:
        return []
    remarks = [line for own in met for line in _seen(own, several=len(met) > 1)]
    lacking = [line for own in met for line in _missing(own)]
    return [
        Section(
            "Best response,\u00a0%",
            _table(rows, conditions),
            note=NOTE,
            remarks=[*_by_place(rows, _correlation), *_by_place(rows, _luck), *remarks, *_apart(rows), *lacking],
            places=list(dict.fromkeys(own[0].place for own in met)),
            numbers=rows,
            file=FILE,
        )
    ]


def _table(numbers: list[Record], conditions: Sequence[ConditionResult]) -> Table:
    """The same in percent, with the cells of each number; without the second half if it would repeat the first."""
    halves = list(HALVES)
    if all(row["any_attack"] == row["free_attack"] for row in numbers):
        halves.remove(ANY)
    several = [part for part in ("dataset", "model") if len({row[part] for row in numbers}) > 1]
    head = ["method", "rank", "group", "attacks", "no attack"]
    for half in halves:
        head += [HALVES[half], "accuracy", "correction", "recovered", "of the best on clean"]
    rows: list[list[Entry | str]] = []
    for row in numbers:
        name = ", ".join([*(row[part] for part in several), row["title"]])
        tried = f"{row['free_tried']} of {row['free_attacks']}"
        plain = condition_of(row, PLAIN, conditions)
        rows.append([name, _rank(row), _group(row), tried, _number(row, "no_attack", plain)])
        for half in halves:
            rows[-1] += _half(row, half, condition_of(row, row[f"{half}attack"], conditions))
    controls = [row["control"] for row in numbers]
    return plain_table(head, rows, words=(0, *range(5, len(head), 5)), controls=controls)


def _rank(row: Record) -> str:
    """`2 (1 to 4)`."""
    if row["rank"] is None:
        return "" if row["control"] else MISSING
    interval = "" if row["rank_low"] is None else f" ({row['rank_low']} to {row['rank_high']})"
    return f"{row['rank']}{interval}"


def _group(row: Record) -> str:
    return str(row["group"] or ("" if row["control"] else MISSING))


def _half(row: Record, half: str, where: ConditionResult | None) -> list[Entry | str]:
    correction = row[f"{half}correction"]
    bound = "" if row[f"{half}complete"] or row[f"{half}accuracy"] is None else "≥ "
    accuracy = _number(row, f"{half}accuracy", where, bound)
    if half == FREE and row["group"] == 1 and (row["free_of_clean"] or 0) < 1:
        accuracy = replace(accuracy, best=row["rank"] == 1, tied=row["rank"] > 1)
    return [
        row[f"{half}attack"] or MISSING,
        accuracy,
        MISSING if correction is None else percent(correction),
        _number(row, f"{half}recovered", where),
        _number(row, f"{half}of_clean", where, bound),
    ]


def _number(row: Record, name: str, where: ConditionResult | None, bound: str = "") -> Entry:
    entry = share_entry(row[name], row[f"{name}_half_width"])
    value = f"{bound}{entry.value}" if row[name] is not None else entry.value
    return replace(entry, value=value, keys=where.keys if where else ())


def _by_place(numbers: list[Record], line: Callable[[Sequence[Record]], str]) -> list[str]:
    """What `line` says of the rows of each data set and model."""
    found = []
    for place, rows in groupby(numbers, lambda row: (row["dataset"], row["model"])):
        said = line(list(rows))
        found += [f"{', '.join(place)}: {said}."] if said else []
    return found


def _correlation(rows: Sequence[Record]) -> str:
    pairs = [row for row in ranked(rows) if row["no_attack"] is not None]
    correlation = rank_correlation([row["no_attack"] for row in pairs], [row["free_accuracy"] for row in pairs])
    if correlation is None:
        return ""
    return (
        "the rank correlation (Spearman) of the accuracy without attack with that under the best attack that assumes "
        f"nothing {correlation_words(correlation, len(pairs))}"
    )


def _luck(rows: Sequence[Record]) -> str:
    """What choosing by other victims takes off."""
    protecting = [row for row in rows if not row["control"] and row["free_accuracy"] is not None]
    found = {row["title"]: -row["free_correction"] for row in protecting if row["free_correction"] is not None}
    lucky = [row for row in protecting if row["seeds_planned"] == row["noises"]]
    if len(lucky) == len(protecting):
        return f"{ONE_VICTIM}{UNTESTED}" if lucky else ""
    alone = f"; of {', '.join(row['title'] for row in lucky)} {ONE_VICTIM}" if lucky else ""
    if not found:
        return alone.removeprefix("; ")
    most = max(found, key=lambda title: found[title])
    return (
        f"choosing the attack by other victims than those that value it takes {percent(fmean(found.values()))} points "
        f"off the best of all, on average over {len(found)} methods, {percent(found[most])} at most"
        f"{f' ({most})' if found[most] else ''}{alone}"
    )


def _seen(conditions: Sequence[ConditionResult], *, several: bool) -> list[str]:
    """The smallest difference of two best responses that could be shown."""
    seen = resolution([protections(conditions)])
    where = f"{', '.join(conditions[0].place)}: " if several else ""
    return [where + resolution_line(seen)] if seen else []


def _apart(rows: Sequence[Record]) -> list[str]:
    """Which methods have no rank, and why."""
    found = [
        f"{row['title']} ({row['free_tried']} of {row['free_attacks']})"
        for row in rows
        if not row["control"] and not row["free_complete"]
    ]
    return [f"Apart, without a rank, because attacks are missing: {', '.join(found)}."] if found else []


def _missing(conditions: Sequence[ConditionResult]) -> list[str]:
    """A sentence for each attack without a result on some method, or without all of its victims, or collapsed."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in conditions:
        if not one.declined and (why := _why_left_out(one)):
            found.setdefault((why, one.attack.title), []).append(one.method.title)
    return [f"{why}: {attack} on {', '.join(methods)}." for (why, attack), methods in found.items()]


def _why_left_out(one: ConditionResult) -> str:
    if one.collapsed:
        return f"Left out, {COLLAPSED}"
    if not one.finished:
        return "Without a result, and left out"
    return "Without some of its victims, and left out" if one.finished < one.planned else ""


def _met(conditions: Sequence[ConditionResult]) -> list[list[ConditionResult]]:
    """The conditions of each data set and model that meet enough attacks, of those that a trainer can choose."""
    kept = []
    for group in by_place(conditions).values():
        answers = answers_among(group)
        met = {one.label["attack"] for one in answers if not one.is_clean}
        own = [one for one in answers if one.label["attack"] in met]
        if len({names(one) for one in own if not one.is_plain}) >= LEAST_ATTACKS:
            kept.append(against_clean(over_common_runs(own)))
    return kept
