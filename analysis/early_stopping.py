"""The study of early stopping: where a patient trainer would have stopped, and with what accuracy."""

from dataclasses import replace
from functools import partial
from itertools import groupby
from statistics import fmean

from analysis.drawing.patience import patience_figure
from analysis.numbers.estimates import estimate_over_noises, rounded
from analysis.reading.conditions import LABEL
from analysis.reading.results import Results
from analysis.reading.stopping import PAPER_STEPS, stop, trainings
from analysis.writing.sections import LONG, Entry, Section, Table, plain_table, share_entry
from bench.store import Record

PATIENCES = (1500, 3000, 5000, 10_000, 15_000, 20_000)
"""Steps without a better look, of PAPER_STEPS."""
NOTE = (
    "Accuracy on clean test images in percent at the look that was best on the validation set, where training stops "
    "after so many steps without a better one. The clean share is that of the validation set, whose other images are "
    "protected. Final is without stopping; peak is an oracle."
)


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


def _numbers(results: Results) -> list[Record]:
    """A row for each condition with early stopping, clean share and patience (steps); accuracies as shares in [0, 1].

    Steps and accuracies are means over the finished seeds, `_half_width` is half of Student's 95 % interval,
    over what `interval_over` says.
    """
    rows = []
    for condition, own, shares in trainings(results):
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


def _row(histories: list[Record | None], over: tuple[int, int | None], patience: int, clean_share: float) -> Record:
    """Of the trainings of a condition, None if one is not finished; those on the first noise come first."""
    found = [stop(history, patience, clean_share) if history else None for history in histories]
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
    several = [part for part in LABEL[:2] if len({row[part] for row in numbers}) > 1]
    patiences = [f"patience {steps:,g}" for steps in dict.fromkeys(row["patience"] for row in numbers)]
    keys = {tuple(one.label[part] for part in LABEL): one.keys for one in results.conditions}
    rows: list[list[Entry | str]] = []
    for (*place, share), group in groupby(
        numbers, key=lambda row: (*(row[part] for part in LABEL), row["clean_share"])
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
