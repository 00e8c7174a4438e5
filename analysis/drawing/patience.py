"""The figure of early stopping: the accuracy that a trainer goes back to, over patience."""

from collections.abc import Sequence

from analysis.drawing.canvas import drawing
from analysis.drawing.panels import Curve, Panel, panels
from analysis.reading.results import Results
from analysis.writing.sections import Drawing
from bench.store import Record

ENDS = {"first": 0.0, "second": 1.0}
"""Clean shares of the validation set that are drawn, by style."""
TEXT = (
    "Accuracy at the look that early stopping goes back to, over its patience. Where the solid line lies on the grey "
    "one, stopping by protected images recovers nothing; the dashed line is what clean validation images add."
)


def patience_figure(numbers: Sequence[Record], results: Results) -> Drawing | None:
    """A panel for each method and attack of the first data set and model; None if a patience is all there is."""
    place = (numbers[0]["dataset"], numbers[0]["model"])
    own = [row for row in numbers if (row["dataset"], row["model"]) == place]
    pairs = dict.fromkeys((row["method"], row["attack"]) for row in own)
    several = len({attack for _, attack in pairs}) > 1
    drawn = []
    for method, attack in pairs:
        rows = [row for row in own if (row["method"], row["attack"]) == (method, attack)]
        title = results.title(method) + (f", {results.title(attack)}" if several else "")
        drawn.append(Panel(title, [_final(rows), *(_curve(rows, style, share) for style, share in ENDS.items())]))
    if len({row["patience"] for row in own}) < 2:
        return None
    legend = {
        "first": "validation on protected images",
        "second": "validation on clean images",
        "reference": "without stopping",
    }
    figure = panels(drawn, "patience, in steps without a better look", "accuracy, %", legend)
    return drawing(figure, "-early-stopping.svg", TEXT)


def _curve(rows: Sequence[Record], style: str, share: float) -> Curve:
    """Restored accuracies with a share of clean validation images."""
    own = [row for row in rows if row["clean_share"] == share]
    return Curve(style, [row["patience"] for row in own], [100 * row["restored_accuracy"] for row in own])


def _final(rows: Sequence[Record]) -> Curve:
    ends = [min(row["patience"] for row in rows), max(row["patience"] for row in rows)]
    return Curve("reference", ends, [100 * rows[0]["final_accuracy"]] * 2)
