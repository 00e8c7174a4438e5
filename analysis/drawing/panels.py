"""Small multiples: a panel for each method, all on the same axes, so that nobody has to tell twenty lines apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from analysis.drawing.canvas import INK, LITERAL, PALETTE, QUIET, bare, canvas
from analysis.numbers.estimates import Estimate

ACROSS = 5
"""Panels in a row, at most."""
SIZE = (1.95, 1.5)
"""Inches of a panel with its title, across and down."""
BARS = "Bars are the intervals of the table."
STYLES: Mapping[str, Mapping[str, Any]] = {
    "first": {"color": PALETTE[0], "linewidth": 1.8, "linestyle": "-", "marker": "o", "markersize": 2.6},
    "second": {"color": PALETTE[1], "linewidth": 1.3, "linestyle": (0, (4, 2)), "marker": "s", "markersize": 2.2},
    "third": {"color": PALETTE[2], "linewidth": 1.3, "linestyle": (0, (1, 1)), "marker": "^", "markersize": 2.4},
    "reference": {"color": QUIET, "linewidth": 1.2, "linestyle": "-"},
}
"""Colour, dashes and markers go together, so that a print without colour can be read as well."""


@dataclass(frozen=True)
class Curve:
    """Accuracies in percent, over something."""

    style: str
    """One of STYLES."""
    across: Sequence[float]
    up: Sequence[float]
    half: Sequence[float] = ()
    """Half of the interval at each; 0 if there is none."""


def over(style: str, points: Sequence[tuple[float, Estimate]]) -> Curve:
    """A curve of estimated shares in [0, 1], with their intervals."""
    halves = [100 * (value.half_width or 0) for _, value in points]
    return Curve(style, [x for x, _ in points], [100 * value.mean for _, value in points], halves)


@dataclass(frozen=True)
class Panel:
    """What is drawn of one method."""

    title: str
    curves: Sequence[Curve]


def panels(drawn: Sequence[Panel], across: str, up: str, legend: Mapping[str, str], *, alike: bool = True) -> Figure:
    """A figure of all panels; `legend` tells the styles in words, `alike` whether all have the same axis across.

    Only then the axis up begins at 0: else the panels are of one method, whose differences are small.
    """
    columns = min(ACROSS, len(drawn))
    rows = -(-len(drawn) // columns)
    width, height = max(SIZE[0] * columns, 5.0), SIZE[1] * rows + 0.85
    figure = canvas(width, height)
    figure.subplots_adjust(0.5 / width, 0.45 / height, 1 - 0.1 / width, 1 - 0.62 / height, 0.2, 0.34)
    with matplotlib.rc_context(LITERAL):
        grid = figure.subplots(rows, columns, sharex=alike, sharey=True, squeeze=False)
        for place, axes in enumerate(grid.flat):
            bare(axes, 8)
            if place >= len(drawn):
                axes.set_visible(False)
                continue
            for curve in drawn[place].curves:
                axes.plot(curve.across, curve.up, **STYLES[curve.style])
                if any(curve.half):
                    colour = STYLES[curve.style]["color"]
                    axes.errorbar(curve.across, curve.up, curve.half, fmt="none", ecolor=colour, elinewidth=0.9)
            axes.set_title(drawn[place].title, loc="left", color=INK, fontsize=9, y=1.0, pad=3)
            axes.grid(axis="y", color=INK, alpha=0.12, linewidth=0.6)
            axes.tick_params(labelbottom=not alike or place + columns >= len(drawn))
            axes.xaxis.set_major_formatter("{x:,g}")
            if not alike:
                axes.locator_params(axis="x", nbins=4)  # numbers of neighbours would touch
        if alike:
            grid[0][0].set_ylim(bottom=0)
        figure.text(0.5, 0.06 / height, across, color=INK, fontsize=9, ha="center", va="bottom")
        figure.text(0.06 / width, 0.5, up, color=INK, fontsize=9, va="center", rotation=90)
        lines = [matplotlib.lines.Line2D([], [], label=text, **STYLES[style]) for style, text in legend.items()]
        figure.legend(handles=lines, loc="upper left", ncols=len(lines), frameon=False, labelcolor=INK, fontsize=9)
    return figure
