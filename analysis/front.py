"""The figure of cost against protection: which methods no other beats in both."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import matplotlib.ticker

from analysis.canvas import INK, PALETTE, PLAIN, QUIET, bare, canvas, drawing
from analysis.ranking import Ranked
from analysis.sections import Drawing

FREE = 1.0
"""Passes at which methods that need none stand: an axis of powers of ten has no 0."""
SIZE = (6.4, 4.2)
"""Inches."""
NEAR, CLOSE = 3.0, 1.2
"""Within this factor of passes and these points of accuracy names would cover each other."""


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
    with matplotlib.rc_context(PLAIN):
        bare(axes)
        axes.set_xscale("log")
        highest = max(one.passes for one in drawn)
        axes.set_xlim(FREE / 2, 12 * max(highest, FREE))
        steps = [(max(one.passes, FREE), one.accuracy) for one in kept]
        axes.step(*zip(*steps, strict=True), where="post", color=QUIET, linewidth=1.2, linestyle=(0, (4, 2)))
        for one in drawn:
            marker, inside = ("o", PALETTE[0]) if one in kept else ("s", "none")
            place = (max(one.passes, FREE), one.accuracy)
            axes.scatter(*place, 34, edgecolor=PALETTE[0], zorder=3, marker=marker, facecolor=inside)
        for one in drawn:
            crowded = any(_beside(one, other) for other in drawn)
            axes.annotate(
                one.title,
                (max(one.passes, FREE), one.accuracy),
                (-7 if crowded else 7, 0),
                textcoords="offset points",
                color=INK,
                fontsize=8,
                ha="right" if crowded else "left",
                va="top" if _above(one, drawn) else "bottom" if _below(one, drawn) else "center",
            )
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


def _beside(one: Offer, other: Offer) -> bool:
    """Whether another stands where a name to the right would."""
    ratio = max(other.passes, FREE) / max(one.passes, FREE)
    return 1 < ratio < NEAR and abs(one.accuracy - other.accuracy) < CLOSE


def _above(one: Offer, drawn: Sequence[Offer]) -> bool:
    """Whether another of similar cost is close above, so that the name goes down."""
    return any(_alike(one, other) and 0 < other.accuracy - one.accuracy < CLOSE for other in drawn)


def _below(one: Offer, drawn: Sequence[Offer]) -> bool:
    """Whether another of similar cost is close below, so that the name goes up."""
    return any(_alike(one, other) and 0 < one.accuracy - other.accuracy < CLOSE for other in drawn)


def _alike(one: Offer, other: Offer) -> bool:
    return max(other.passes, FREE) / NEAR < max(one.passes, FREE) < NEAR * max(other.passes, FREE)
