"""The study of final accuracies: each method against each attack, as a table, a figure and all numbers."""

from dataclasses import replace

from analysis.drawing.canvas import drawing
from analysis.drawing.figures import accuracy_figure
from analysis.numbers.estimates import rounded
from analysis.reading.conditions import ACCURACY, ConditionResult
from analysis.reading.results import Results
from analysis.writing.brackets import bracket_line, settled_tables
from analysis.writing.provenance import is_paper, seeds_line
from analysis.writing.sections import Drawing, Section, file_of
from analysis.writing.standing import standing_lines, standings
from analysis.writing.tables import table_of
from bench.store import Record


def sections(results: Results) -> list[Section]:
    """One for each data set and model. Published values stand in it at the paper's scale only."""
    return [
        Section(
            "Final accuracy on clean test images,\u00a0%",
            table_of(shown, ACCURACY),
            context=results.context(place),
            note=f"{seeds_line(results)}.",
            remarks=[*(line for line in (bracket_line(shown),) if line), *standing_lines(conditions, ACCURACY)],
            places=[place],
            figure=_drawing(place, conditions, measured=bool(results.measured)),
            numbers=_all_numbers(results, shown),
        )
        for place, conditions in settled_tables(results).items()
        for shown in [conditions if is_paper(results) else [replace(one, published=[]) for one in conditions]]
    ]


def _drawing(place: tuple[str, str], conditions: list[ConditionResult], *, measured: bool) -> Drawing | None:
    """None of a single attack if the plan is made for what it measures."""
    alone = len({one.label["attack"] for one in conditions}) == 1
    figure = None if alone and measured else accuracy_figure(conditions)
    text = f"Accuracy of each method against each attack; {', '.join(place)}."
    return drawing(figure, f"{file_of(place)}.svg", text) if figure else None


def _all_numbers(results: Results, conditions: list[ConditionResult]) -> list[Record]:
    known = standings(conditions, ACCURACY)
    places = [(one.label["method"], one.label["attack"]) for one in conditions]
    return [_numbers(results, one, known.get(place, "")) for one, place in zip(conditions, places, strict=True)]


def _numbers(results: Results, condition: ConditionResult, standing: str) -> Record:
    """All numbers of a condition, accuracies as shares in [0, 1].

    `noise_psnr` is in dB; `noise_linf` and `noise_l2` (mean over images) are in [0, 1] units; `noise_l0` is the mean
    number of changed pixels, `noise_saturated` the share of released values that are 0 or 255; passes are
    forward+backward of 128 images. `control_accuracy` is what the same attack reaches on clean images, over the same
    seeds, and `recovered` the share of it that is reached here; `gained` is the difference to the accuracy under the
    control that the attack names. All are means over the finished seeds. `_low` and `_high` are the ends of the 95 %
    interval, over what `interval_over` says, and `_half_width` is its longer side. `standing` says which row is the
    best of its attack and which cannot be told from it. `collapsed` victims never left chance. Empty if unknown.
    """
    values: Record = {}
    for name, value in condition.estimates.items():
        values[name] = round(value.mean, 6) if value else None
        if name.endswith("accuracy") or name in ("gained", "recovered"):
            values[f"{name}_half_width"] = rounded(value.half_width) if value else None
            values[f"{name}_low"] = rounded(value.low) if value else None
            values[f"{name}_high"] = rounded(value.high) if value else None
    first = condition.published[0] if condition.published else None
    return {
        "plan": results.name,
        "scale": results.plan["scale"]["name"],
        **condition.label,
        "control": condition.control,
        "assumes": ", ".join(condition.assumes),
        "interval_over": condition.interval_over,
        "noises": condition.noises,
        "seeds_planned": condition.planned,
        "finished": condition.finished,
        "failed": condition.failed,
        "missing": condition.missing,
        "collapsed": condition.collapsed,
        "test_images": condition.test_images,
        "standing": standing,
        **values,
        "published_accuracy": round(first.accuracy, 6) if first else None,
        "published_source": f"{first.source}, {first.source_table}" if first else None,
    }
