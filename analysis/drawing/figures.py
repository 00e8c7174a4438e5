"""The figure of accuracies: lines for a few methods over a few attacks, a heat map for many.

The same records always draw the same bytes.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import ScaledTranslation

from analysis.drawing.canvas import DASHES, INK, LITERAL, MARKERS, PALETTE, QUIET, canvas
from analysis.reading.conditions import ConditionResult
from analysis.writing.tables import attacks_of

COLOUR, FULL = "#d55e00", 0.75
"""Of the highest accuracy in a heat map; none has no colour, so that the map stands on any background."""
MANY = 9
"""More attacks than this are drawn as a heat map."""
CROWD = 12
"""So are more methods than this."""
WIDTH, HEIGHT, LETTER, MARGIN = 9.6, 3.15, 0.083, 0.06
"""Inches: of a figure of lines, of its axes, of a letter of a label, and around all that is drawn."""
CELL = (0.295, 0.25)
"""Inches of one condition in a heat map, across and down."""
TITLE = "accuracy on clean test images, %"
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
    """Percent points; 0 if there is no interval."""


def accuracy_figure(conditions: Sequence[ConditionResult]) -> Figure | None:
    """Accuracy (percent) against attack: a line for each method, or a row if there are many; controls grey.

    Attacks that only clean images meet are left out. None if nothing is finished of the others.
    """
    met = {one.label["attack"] for one in conditions if not one.is_clean}
    columns = {label: one.column_title for label, one in attacks_of(conditions).items() if label in met or not met}
    lines = [line for line in _lines(conditions, list(columns)) if line.across]
    if not lines:
        return None
    many = len(columns) > MANY or len(lines) > CROWD
    with matplotlib.rc_context(LITERAL):
        return (
            _heat_map(conditions, columns) if many else _line_chart(lines, list(columns.values()), _title(conditions))
        )


def _title(conditions: Sequence[ConditionResult]) -> str:
    """What is drawn, and over what the bars are intervals if there are any."""
    drawn = [one for one in conditions if (value := one.accuracy) and value.half_width]
    over = dict.fromkeys(one.interval_over for one in drawn if not one.is_clean or all(one.is_clean for one in drawn))
    if len(over) > 1:
        return f"{TITLE}; bars: 95 % intervals of the table"
    return f"{TITLE}; bars: 95 % interval over {next(iter(over))}" if over else TITLE


def _fit(figure: Figure, axes: Axes, width: float, height: float) -> float:
    """Give the axes a size (inches) and the canvas room for all that is drawn around them; return the canvas' width."""
    figure.set_size_inches(width, height)
    axes.set_position((0, 0, 1, 1))
    drawn = axes.get_tightbbox()
    assert drawn is not None  # axes that are shown
    left, bottom = MARGIN - min(drawn.x0 / figure.dpi, 0), MARGIN - min(drawn.y0 / figure.dpi, 0)
    across = left + max(drawn.x1 / figure.dpi, width) + MARGIN
    up = bottom + max(drawn.y1 / figure.dpi, height) + MARGIN
    figure.set_size_inches(across, up)
    axes.set_position((left / across, bottom / up, width / across, height / up))
    return float(across)


def _line_chart(lines: list[Line], columns: list[str], title: str) -> Figure:
    figure = canvas(1, 1)
    axes = figure.add_axes((0, 0, 1, 1))
    for number, line in enumerate(lines):
        shift = (number - (len(lines) - 1) / 2) * min(0.05, 0.3 / len(lines))  # so that no bar hides another
        across = [column + shift for column in line.across]
        _, _, bars = axes.errorbar(across, line.means, line.half_widths, **line.style)
        for bar in bars:
            bar.set_alpha(0.45)
    highest = max(mean + half for line in lines for mean, half in zip(line.means, line.half_widths, strict=True))
    top = min(100.0, 10.0 * (highest // 10 + 1))
    _dress(axes, len(columns), top, title)
    _label(figure, axes, lines, top)
    width = max(WIDTH / 2, WIDTH - (_fit(figure, axes, WIDTH, HEIGHT) - WIDTH))
    letters = int(width / LETTER / len(columns))
    wrapped = ["\n".join(textwrap.wrap(title, max(letters - 1, 1), break_long_words=False)) for title in columns]
    axes.set_xticks(range(len(columns)), wrapped)
    _fit(figure, axes, width, HEIGHT)
    return figure


def _lines(conditions: Sequence[ConditionResult], columns: list[str]) -> list[Line]:
    """A line for each row over some attacks; colours follow the rows, so that they stay when more cells finish."""
    methods = {one.label["method"]: one for one in conditions}
    protected = [label for label, one in methods.items() if not one.control]
    lines = {
        label: Line(one.method.title, one.control, _quiet_style(row) if one.control else _style(protected.index(label)))
        for row, (label, one) in enumerate(methods.items())
    }
    drawn = [one for one in conditions if one.label["attack"] in columns]
    for condition in sorted(drawn, key=lambda one: columns.index(one.label["attack"])):
        value = condition.accuracy
        if value:
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


def _dress(axes: Axes, columns: int, top: float, title: str) -> None:
    """Axes with as little ink as will do."""
    axes.set_xlim(-0.25, columns - 0.75)
    axes.set_ylim(0, top)
    axes.set_title(title, loc="left", color=INK, fontsize=11, pad=12)
    axes.set_xlabel("attack", color=INK, fontsize=11)
    axes.tick_params(colors=INK, labelsize=11, length=0, pad=7)
    axes.grid(axis="y", color=INK, alpha=0.15, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.patch.set_visible(False)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set(color=INK, alpha=0.5)


def _label(figure: Figure, axes: Axes, lines: list[Line], top: float) -> None:
    """Name every line at the right edge, at the height where it ends or as near as its neighbours let it."""
    ending = sorted(lines, key=lambda line: (line.means[-1], line.name))
    gap = min(LABEL_GAP, 1 / len(lines))
    beside, further = (axes.transAxes + ScaledTranslation(inches, 0, figure.dpi_scale_trans) for inches in (0.18, 0.3))
    for line, height in zip(ending, _spread([line.means[-1] / top for line in ending], gap), strict=True):
        marker = {key: line.style[key] for key in ("marker", "markersize", "color")}
        axes.plot(1, height, transform=beside, clip_on=False, **marker)
        colour = INK if not line.control else QUIET
        size = 11 * gap / LABEL_GAP
        axes.text(1, height, line.name, transform=further, color=colour, fontsize=size, va="center")


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


def _heat_map(conditions: Sequence[ConditionResult], columns: dict[str, str]) -> Figure:
    """Whole percent, a row for each method and a column for each attack: lines over so many would be a thicket."""
    means = {
        (one.label["method"], one.label["attack"]): 100 * value.mean for one in conditions if (value := one.accuracy)
    }
    rows = {one.label["method"]: one for one in conditions}
    highest = max(means.values())
    figure = canvas(1, 1)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, len(columns))
    axes.set_ylim(len(rows), 0)
    for row, (method, first) in enumerate(rows.items()):
        for column, attack in enumerate(columns):
            mean = means.get((method, attack))
            if mean is None:
                continue
            colour = to_rgba(QUIET if first.control else COLOUR, FULL * mean / (highest or 1))
            inside = [
                axes.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, linewidth=0)),
                axes.text(column + 0.5, row + 0.53, f"{mean:.0f}", color=INK, fontsize=8, ha="center", va="center"),
            ]
            for artist in inside:
                artist.set_clip_on(False)
                artist.set_in_layout(False)  # they need no room around the axes, and measuring them is slow
    axes.set_title(TITLE, loc="left", color=INK, fontsize=10, pad=8)
    axes.set_xticks([place + 0.7 for place in range(len(columns))], list(columns.values()))
    axes.set_yticks([place + 0.5 for place in range(len(rows))], [first.method.title for first in rows.values()])
    axes.tick_params(colors=INK, labelsize=9, length=0, pad=4)
    axes.tick_params(axis="x", labelrotation=60)
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("right")
    axes.patch.set_visible(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    _fit(figure, axes, CELL[0] * len(columns), CELL[1] * len(rows))
    return figure
