"""The figure of a table: lines for a few methods over a few attacks, a heat map for many."""

import textwrap
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing import INK, QUIET, svg
from analysis.heat_map import heat_map
from analysis.tables import Table

PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
"""Okabe and Ito's colours, which colour-blind people tell apart; without those that vanish on black or white."""
MANY = 9
"""More attacks than this are drawn as a heat map."""
CROWD = 12
"""So are more methods than this."""
WIDTH, LETTER, LINE = 9.6, 0.083, 0.18
"""Inches: of the figure, of a letter of a label, and of its height with the space between lines."""
MARKERS = "osD^vPX"
DASHES: list[Any] = ["-", (0, (5, 2)), (0, (1, 1.5))]
LABEL_GAP = 0.058
"""Least distance of two labels of full size, as a share of the axis' height."""


@dataclass
class Line:
    """What is drawn of one method."""

    name: str
    control: bool
    style: dict[str, Any]
    across: list[int] = field(default_factory=list)
    """Columns of the table."""
    means: list[float] = field(default_factory=list)
    """Percent."""
    half_widths: list[float] = field(default_factory=list)
    """Percent points; 0 where there is no interval."""


def accuracy_figure(table: Table) -> str:
    """Accuracy (percent) against attack: a line for each method, or a row where there are many; controls grey.

    Attacks that only clean images meet are left out. Empty where nothing is finished of the others.
    """
    met = {condition.label["attack"] for condition in table.conditions if not condition.is_clean}
    shown = [column for column in table.columns if column.label in met or not met]
    lines = [line for line in _lines(table, [column.label for column in shown]) if line.across]
    if not lines:
        return ""
    if len(shown) > MANY or len(lines) > CROWD:
        return heat_map(table, shown)
    share = max(0.5, 0.9 - 0.0085 * max(len(line.name) for line in lines))
    letters = int(WIDTH * share / LETTER / len(shown))
    columns = ["\n".join(textwrap.wrap(column.title, max(letters - 1, 1), break_long_words=False)) for column in shown]
    below = 0.7 + LINE * max(1 + column.count("\n") for column in columns)
    height = 3.6 + below
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0.045, below / height, share, 1 - (below + 0.45) / height))
    for number, line in enumerate(lines):
        shift = (number - (len(lines) - 1) / 2) * min(0.05, 0.3 / len(lines))  # so that no bar hides another
        across = [column + shift for column in line.across]
        _, _, bars = axes.errorbar(across, line.means, line.half_widths, **line.style)
        for bar in bars:
            bar.set_alpha(0.45)
    highest = max(mean + half for line in lines for mean, half in zip(line.means, line.half_widths, strict=True))
    top = min(100.0, 10.0 * (highest // 10 + 1))
    _dress(axes, columns, top)
    _label(axes, lines, top)
    return svg(figure)


def _lines(table: Table, columns: list[str]) -> list[Line]:
    """A line for each row over some attacks; colours follow the rows, so that they stay when more cells finish."""
    protected = [heading.label for heading, _ in table.rows if not heading.control]
    lines: dict[str, Line] = {}
    for heading, _ in table.rows:
        style = _quiet_style(len(lines)) if heading.control else _style(protected.index(heading.label))
        lines[heading.label] = Line(heading.title, heading.control, style)
    for condition in table.conditions:
        value = condition.estimates["final_accuracy"]
        if value and condition.label["attack"] in columns:
            line = lines[condition.label["method"]]
            line.across.append(columns.index(condition.label["attack"]))
            line.means.append(100 * value.mean)
            line.half_widths.append(100 * (value.half_width or 0))
    return list(lines.values())


def _style(number: int) -> dict[str, Any]:
    dashes = DASHES[number // len(PALETTE) % len(DASHES)]
    marker, colour = MARKERS[number % len(MARKERS)], PALETTE[number % len(PALETTE)]
    return {"color": colour, "linestyle": dashes, "linewidth": 2, "marker": marker, "markersize": 6}


def _quiet_style(number: int) -> dict[str, Any]:
    marker = MARKERS[number % len(MARKERS)]
    return {"color": QUIET, "linestyle": (0, (4, 3)), "linewidth": 1.6, "marker": marker, "markersize": 4}


def _dress(axes: Axes, columns: list[str], top: float) -> None:
    """Axes with as little ink as will do."""
    axes.set_xlim(-0.25, len(columns) - 0.75)
    axes.set_ylim(0, top)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_title("accuracy on clean test images, %", loc="left", color=INK, fontsize=11, pad=12)
    axes.set_xlabel("attack", color=INK, fontsize=11)
    axes.tick_params(colors=INK, labelsize=11, length=0, pad=7)
    axes.grid(axis="y", color=INK, alpha=0.15, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.patch.set_visible(False)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set(color=INK, alpha=0.5)


def _label(axes: Axes, lines: list[Line], top: float) -> None:
    """Name every line at the right edge, at the height where it ends or as near as its neighbours let it."""
    ending = sorted(lines, key=lambda line: (line.means[-1], line.name))
    gap = min(LABEL_GAP, 1 / len(lines))
    for line, height in zip(ending, _spread([line.means[-1] / top for line in ending], gap), strict=True):
        marker = {key: line.style[key] for key in ("marker", "markersize", "color")}
        axes.plot(1.03, height, transform=axes.transAxes, clip_on=False, **marker)
        colour = INK if not line.control else QUIET
        size = 11 * gap / LABEL_GAP
        axes.text(1.05, height, line.name, transform=axes.transAxes, color=colour, fontsize=size, va="center")


def _spread(heights: list[float], gap: float) -> list[float]:
    """Heights (ascending, in [0, 1]) moved apart to `gap`, each group kept around its own middle."""
    groups: list[list[float]] = []
    for height in heights:
        groups.append([height])
        while len(groups) > 1 and _placed(groups[-1], gap)[0] - _placed(groups[-2], gap)[-1] < gap:
            last = groups.pop()
            groups[-1] += last
    return [height for group in groups for height in _placed(group, gap)]


def _placed(group: list[float], gap: float) -> list[float]:
    middle = sum(group) / len(group)
    return [middle + gap * (place - (len(group) - 1) / 2) for place in range(len(group))]
