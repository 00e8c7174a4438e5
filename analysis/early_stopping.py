"""The study of early stopping: where a patient trainer would have stopped, and with what accuracy."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import groupby
from statistics import fmean

from analysis.controls import against_clean, against_own_controls, controls_at
from analysis.estimates import estimate_over_noises, rounded
from analysis.patience import patience_figure
from analysis.results import PLACE, TO_THE_END, ConditionResult, Results
from analysis.sections import LONG, Entry, Section, Table, plain_table, share_entry
from bench.store import Record

PAPER_STEPS = 40_000
PATIENCES = (1500, 3000, 5000, 10_000, 15_000, 20_000)
"""Steps without a better look, of PAPER_STEPS; a shorter training takes the same shares of its own."""
PLANS = 64
"""So many plans' conditions are kept at most."""
CLEAN_IMAGES = "clean images"
"""The assumption of a validation set with clean images."""
CLEAN_SHARES = (0.0, 0.1, 0.3, 0.5, 0.7, 1.0)
"""Of the validation images; a trainer without clean images has 0."""
COSTS = ("noise_", "train_passes", "train_seconds")
"""How the names of estimates begin that stopping does not change: training is timed to its end."""
NOTE = (
    "Accuracy on clean test images in percent at the look that was best on the validation set, where training stops "
    "after so many steps without a better one. The clean share is that of the validation set, whose other images are "
    "protected. Final is without stopping; peak is an oracle."
)


@dataclass(frozen=True)
class Stopping:
    """Where one training stops, and the test accuracies (shares in [0, 1]) there and at the look it goes back to."""

    step: int
    stopped_accuracy: float
    restored_step: int
    restored_accuracy: float


def sections(results: Results) -> list[Section]:
    """One, if any record has early stopping."""
    numbers = _numbers(results)
    if not numbers:
        return []
    table = _table(results, numbers)
    places = dict.fromkeys((row["dataset"], row["model"]) for row in numbers)
    return [
        Section(
            "Early stopping",
            table,
            note=NOTE,
            places=list(places),
            numbers=numbers,
            file="-early-stopping",
            folded=len(table.rows) > LONG,
            figure=patience_figure(numbers, results),
        )
    ]


def stopping(history: Record, patience: float, clean_share: float) -> Stopping:
    """Stop at the first look that comes `patience` steps or more after the best so far, else at the last one.

    The best is the earliest of those with most right predictions on the validation set. Raises ValueError for a
    `clean_share` that is no whole number of its parts.
    """
    steps, test = history["step"], history["test_accuracy"]
    right = _right(history, clean_share)
    best = look = 0
    for look in range(len(steps)):
        if right[look] > right[best]:
            best = look
        if steps[look] - steps[best] >= patience:
            break
    return Stopping(steps[look], test[look], steps[best], test[best])


def _right(history: Record, clean_share: float) -> list[int]:
    """Right predictions at each look where the first parts of the validation set are clean and the others protected."""
    clean, protected = history["validation_clean"], history["validation_protected"]
    count = _clean_parts(history, clean_share)
    if count is None:
        raise ValueError(f"a clean share of {clean_share:g} is no whole number of {len(clean[0])} parts")
    return [sum(ours[:count]) + sum(theirs[count:]) for ours, theirs in zip(clean, protected, strict=True)]


def _clean_parts(history: Record, clean_share: float) -> int | None:
    count = clean_share * len(history["validation_clean"][0])
    return round(count) if abs(count - round(count)) < 1e-9 else None


def _numbers(results: Results) -> list[Record]:
    """A row for each condition with early stopping, clean share and patience (steps); accuracies as shares in [0, 1].

    Steps and accuracies are means over the finished seeds, `_half_width` is half of Student's 95 % interval,
    over what `interval_over` says.
    """
    rows = []
    for condition, own, shares in _trainings(results):
        label = {
            **condition.label,
            "interval_over": condition.interval_over,
            "noises": condition.noises,
            "seeds_planned": len(own),
            "finished": len(own) - own.count(None),
        }
        restored = partial(_row, own, (condition.noises, condition.test_images))
        rows += [{**label, **restored(patience, share)} for share in shares for patience in PATIENCES]
    return rows


@lru_cache(maxsize=PLANS)
def stopped(results: Results) -> list[ConditionResult]:
    """The conditions, of which those with early stopping are one for each clean share, with restored accuracies.

    Training goes on to its end, as that of every other attack. Every share but 0 assumes clean images. Those of the
    plans of a report are kept, because several studies and its answer read them.
    """
    found: list[ConditionResult] = []
    trainings = list(_trainings(results))
    known = {condition.label["attack"]: shares for condition, _, shares in trainings if shares}
    for condition, own, shares in trainings:
        # A method without any result, or that does not apply, has the columns of the others, and nothing in them.
        columns = shares or known.get(condition.label["attack"], [])
        found += [
            replace(_at_share(condition, own, share), own_controls=controls_at(share, condition, results.conditions))
            for share in columns
        ] or [condition]
    return against_own_controls(against_clean(found))


def left_out(results: Results) -> list[str]:
    """What a reader who does not want clean images misses, by title."""
    if CLEAN_IMAGES not in results.left_out:
        return []
    attacks = dict.fromkeys(condition.attack.title for condition, own, _ in _trainings(results) if any(own))
    return [f"{attack} with clean images" for attack in attacks]


def _trainings(results: Results) -> Iterator[tuple[ConditionResult, list[Record | None], list[float]]]:
    """Each condition, the history of each of its cells, and the clean shares that can be read from these.

    A history is None if its cell is not finished or has no validation set.
    """
    histories = _histories(results)
    for place, condition in zip(results.plan["conditions"], results.conditions, strict=True):
        own = [histories.get(key) for key in place["cells"]]
        yield condition, own, _shares(results, [history for history in own if history])


def _shares(results: Results, histories: list[Record]) -> list[float]:
    """The clean shares that the parts of every validation set can make, and that the reader has not left out."""
    if not histories:
        return []
    possible = [share for share in CLEAN_SHARES if all(_clean_parts(one, share) is not None for one in histories)]
    return [share for share in possible if not share or CLEAN_IMAGES not in results.left_out]


def _at_share(condition: ConditionResult, histories: list[Record | None], share: float) -> ConditionResult:
    accuracies = [_stop(history, PAPER_STEPS, share).restored_accuracy if history else None for history in histories]
    words = f", {100 * share:g} % clean"
    return replace(
        condition,
        label=condition.label | {"attack": condition.label["attack"] + words},
        attack=replace(condition.attack, title=condition.attack.title + words),
        assumes=sorted({*condition.assumes, CLEAN_IMAGES}) if share else condition.assumes,
        accuracies=accuracies,
        held_out=False,
        estimates={name: known for name, known in condition.estimates.items() if name.startswith(COSTS)}
        | {"final_accuracy": estimate_over_noises(accuracies, condition.noises, condition.test_images)},
        others={TO_THE_END: condition.accuracies},
    )


def _histories(results: Results) -> dict[str, Record]:
    """Those with a validation set, by the keys of their cells."""
    return {
        record["key"]: record["history"]
        for record in results.records
        if record.get("history", {}).get("validation_clean") is not None
    }


def _stop(history: Record, patience: int, clean_share: float) -> Stopping:
    """Where a patience written in the paper's steps stops a training, whatever its length."""
    return stopping(history, patience * history["step"][-1] / PAPER_STEPS, clean_share)


def _row(histories: list[Record | None], over: tuple[int, int | None], patience: int, clean_share: float) -> Record:
    """Of the trainings of a condition, None if one is not finished; those on the first noise come first."""
    found = [_stop(history, patience, clean_share) if history else None for history in histories]
    ends = [end for end in found if end]
    finished = [history for history in histories if history]
    return {
        "clean_share": clean_share,
        "patience": patience * finished[0]["step"][-1] / PAPER_STEPS,
        "stopping_step": fmean(end.step for end in ends),
        "restored_step": fmean(end.restored_step for end in ends),
        **_written("restored_accuracy", [end.restored_accuracy if end else None for end in found], over),
        "stopped_accuracy": round(fmean(end.stopped_accuracy for end in ends), 6),
        **_written("final_accuracy", [each["test_accuracy"][-1] if each else None for each in histories], over),
        **_written("peak_accuracy", [max(each["test_accuracy"]) if each else None for each in histories], over),
    }


def _written(name: str, accuracies: list[float | None], over: tuple[int, int | None]) -> Record:
    """A mean with half of its interval, over so many noises, or test images if there is one victim."""
    found = estimate_over_noises(accuracies, *over)
    assert found is not None  # a condition without histories has no row
    return {name: rounded(found.mean), f"{name}_half_width": rounded(found.half_width)}


def _table(results: Results, numbers: list[Record]) -> Table:
    """Restored accuracies, a row for each condition and clean share and a column for each patience."""
    several = [part for part in PLACE[:2] if len({row[part] for row in numbers}) > 1]
    patiences = [f"patience {steps:,g}" for steps in dict.fromkeys(row["patience"] for row in numbers)]
    keys = {tuple(one.label[part] for part in PLACE): one.keys for one in results.conditions}
    rows: list[list[Entry | str]] = []
    for (*place, share), group in groupby(
        numbers, key=lambda row: (*(row[part] for part in PLACE), row["clean_share"])
    ):
        own = list(group)
        first = own[0]
        method = ", ".join([*(first[part] for part in several), results.title(first["method"])])
        if first["finished"] < first["seeds_planned"]:
            method += f" ({first['finished']} of {first['seeds_planned']} seeds)"
        restored = [share_entry(row["restored_accuracy"], row["restored_accuracy_half_width"]) for row in own]
        ends = [share_entry(first[name], first[f"{name}_half_width"]) for name in ("final_accuracy", "peak_accuracy")]
        opening = [replace(entry, keys=keys[tuple(place)]) for entry in (*restored, *ends)]
        rows.append([method, results.title(first["attack"]), f"{100 * share:g} %", *opening])
    return plain_table(["method", "attack", "clean share", *patiences, "final", "peak"], rows, words=range(3))
