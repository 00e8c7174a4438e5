"""The figure of cost against protection: which methods no other beats in both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import matplotlib.ticker
from matplotlib.axes import Axes

from analysis.drawing.canvas import INK, LITERAL, PALETTE, QUIET, bare, canvas, drawing
from analysis.page.ranking import Ranked
from analysis.writing.sections import Drawing

FREE = 1.0
"""Passes at which methods that need none stand: an axis of powers of ten has no 0."""
SIZE = (6.4, 4.2)
"""Inches."""
NEAR, FAR = 3.0, 30.0
"""Factors of passes within which a marker is where a name would be, and within which names would cover each other."""


@dataclass(frozen=True)
class Offer:
    """What a method costs, in passes of 128 images, and what the best attack leaves of it, in percent."""

    title: str
    passes: float
    accuracy: float


def front(offers: Sequence[Offer]) -> list[Offer]:
    """Those that no other beats in both, the cheapest first."""
    best: list[Offer] = []
    for one in sorted(offers, key=lambda one: (one.passes, one.accuracy)):
        if not best or one.accuracy < best[-1].accuracy:
            best.append(one)
    return best


def offers(rows: Sequence[Ranked]) -> list[Offer]:
    """The protecting methods of a ranking whose cost is known."""
    return [
        Offer(row.title, cost.mean, 100 * row.accuracy)
        for row in rows
        if not row.control and not row.missing and row.best and (cost := row.best.estimates.get("noise_passes"))
    ]


def cost_figure(rows: Sequence[Ranked]) -> list[Drawing]:
    """One, if there are at least two methods to compare."""
    drawn = offers(rows)
    if len(drawn) < 2:
        return []
    kept = front(drawn)
    figure = canvas(*SIZE)
    axes = figure.add_axes((0.09, 0.13, 0.88, 0.8))
    with matplotlib.rc_context(LITERAL):
        bare(axes)
        axes.set_xscale("log")
        highest = max(one.passes for one in drawn)
        axes.set_xlim(FREE / 2, 12 * max(highest, FREE))
        steps = [(max(one.passes, FREE), one.accuracy) for one in kept]
        axes.step(*zip(*steps, strict=True), where="post", color=QUIET, linewidth=1.2, linestyle=(0, (4, 2)))
        _draw(axes, drawn, kept)
        axes.margins(y=0.08)
        axes.xaxis.set_major_formatter(lambda passes, _: "none" if passes == FREE else f"{passes:,.0f}")
        axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
        axes.set_xlabel("passes of 128 images to make the noise", color=INK, fontsize=9)
        axes.set_ylabel("accuracy under the best attack, %", color=INK, fontsize=9)
        axes.grid(color=INK, alpha=0.12, linewidth=0.6)
    text = (
        "Cost against protection. Lower protects better, further left is cheaper. Filled circles on the dashed line "
        "are the methods that no other beats in both; hollow squares are beaten by one of them."
    )
    return [drawing(figure, "-cost.svg", text)]


def _draw(axes: Axes, drawn: Sequence[Offer], kept: Sequence[Offer]) -> None:
    """Draw each method as a mark with its name; those `kept` are filled."""
    for one in drawn:
        marker, inside = ("o", PALETTE[0]) if one in kept else ("s", "none")
        place = (max(one.passes, FREE), one.accuracy)
        axes.scatter(*place, 34, edgecolor=PALETTE[0], zorder=3, marker=marker, facecolor=inside)
    words: dict[str, Any] = {"textcoords": "offset points", "color": INK, "fontsize": 8, "va": "center"}
    for one, height, left in _names(drawn):
        place, shift, side = (max(one.passes, FREE), height), (-7 if left else 7, 3), "right" if left else "left"
        axes.annotate(one.title, place, shift, ha=side, **words)


def _names(drawn: Sequence[Offer]) -> list[tuple[Offer, float, bool]]:
    """At which height each name stands, and whether to the left, so that none covers another or a marker."""
    gap = 0.04 * (max(one.accuracy for one in drawn) - min(one.accuracy for one in drawn))
    placed: list[tuple[Offer, float, bool]] = []
    for one in sorted(drawn, key=lambda one: one.accuracy):
        left = any(1 < _ratio(other, one) < NEAR and abs(one.accuracy - other.accuracy) < 2 * gap for other in drawn)
        near = [height for other, height, side in placed if side == left and 1 / FAR < _ratio(other, one) < FAR]
        placed.append((one, max([one.accuracy, *(height + gap for height in near)]), left))
    return placed


def _ratio(one: Offer, other: Offer) -> float:
    return max(one.passes, FREE) / max(other.passes, FREE)
