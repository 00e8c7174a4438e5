"""Many methods against many attacks as a heat map: lines over so many attacks would be a thicket."""

from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.drawing import INK, QUIET, svg
from analysis.tables import Heading, Table

COLOUR, FULL = "#d55e00", 0.75
"""Of the highest accuracy; no accuracy has no colour, so that the map stands on any background."""
CELL = (0.295, 0.25)
"""Inches of one condition, across and down."""


def heat_map(table: Table, columns: list[Heading]) -> str:
    """Accuracy in whole percent, a row for each method and a column for each of `columns`; controls in grey."""
    means = {
        (condition.label["method"], condition.label["attack"]): 100 * value.mean
        for condition in table.conditions
        if (value := condition.estimates["final_accuracy"])
    }
    rows = [heading for heading, _ in table.rows]
    highest = max(means.values())
    left, bottom = (0.075 * max(len(heading.title) for heading in names) + 0.15 for names in (rows, columns))
    across, down = left + CELL[0] * len(columns), bottom + CELL[1] * len(rows)
    figure = Figure(figsize=(across + 0.1, down + 0.4))
    width, height = figure.get_size_inches()
    axes = figure.add_axes((left / width, bottom / height, (across - left) / width, (down - bottom) / height))
    axes.set_xlim(0, len(columns))
    axes.set_ylim(len(rows), 0)
    for row, method in enumerate(rows):
        for column, attack in enumerate(columns):
            mean = means.get((method.label, attack.label))
            if mean is None:
                continue
            colour = to_rgba(QUIET if method.control else COLOUR, FULL * mean / highest)
            axes.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, linewidth=0))
            axes.text(column + 0.5, row + 0.53, f"{mean:.0f}", color=INK, fontsize=8, ha="center", va="center")
    axes.set_title("accuracy on clean test images, %", loc="left", color=INK, fontsize=10, pad=8)
    axes.set_xticks([place + 0.7 for place in range(len(columns))], [column.title for column in columns])
    axes.set_yticks([place + 0.5 for place in range(len(rows))], [heading.title for heading in rows])
    axes.tick_params(colors=INK, labelsize=9, length=0, pad=4)
    axes.tick_params(axis="x", labelrotation=60)
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("right")
    axes.patch.set_visible(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return svg(figure)
