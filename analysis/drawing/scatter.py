"""Figures of points: protection against a number of each generator, and embeddings of perturbations."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure

from analysis.drawing.canvas import INK, LITERAL, MARKERS, PALETTE, QUIET, bare, canvas, drawing
from analysis.numbers.association import FEW, curvature
from analysis.reading.conditions import PLAIN
from analysis.reading.pairings import Pairing
from analysis.writing.sections import Drawing

PANEL = 3.3
"""Inches of one panel, across and down."""
BENT = 0.05
"""p-value of a bend below which no line is drawn through the points."""
CLOUD = 1.6
"""Inches of one source in one embedding."""
SQUARES = 26
"""Squares, across and down, of the region in which any source lies."""
DOT, SHADE = PALETTE[1], ListedColormap([(*to_rgb(QUIET), 0.3)])
FULL_SIZE, SMALL_SIZE = 34, 4
LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (2.5, 1.5)), (0, (1, 1.5)))
"""The last network of a training first."""


@rc_context(LITERAL)
def scatter(pairings: Sequence[Pairing], types: Mapping[str, str], file: str) -> Drawing | None:
    """A panel for each pairing with points: the type of a generator is its marker and colour, bars are 95 % intervals.

    The fitted line is drawn only over enough generators, and where a bend is not found.
    """
    pairings = [one for one in pairings if len(one.first) >= 3]
    if not pairings:
        return None
    kinds = list(dict.fromkeys(types[method] for one in pairings for method in one.methods))
    figure, panels = _panels(len(pairings), len(kinds))
    for axes, one in zip(panels, pairings, strict=False):
        for number, kind in enumerate(kinds):
            inside = [place for place, method in enumerate(one.methods) if types[method] == kind]
            x, y = ([sample[place] for place in inside] for sample in (one.first, one.second))
            wide, high = ([width[place] for place in inside] for width in one.widths)
            axes.errorbar(x, y, high, wide, fmt="none", ecolor=QUIET, elinewidth=0.8, zorder=1)
            axes.scatter(x, y, FULL_SIZE, **_style(number), label=kind)
        bend = curvature(one.first, one.second)
        if bend is not None and bend >= BENT and len(one.first) >= FEW:
            ends = np.array([min(one.first), max(one.first)])
            axes.plot(ends, np.polyval(np.polyfit(one.first, one.second, 1), ends), color=QUIET, linewidth=1.2)
        axes.set_xlabel(one.predictor.title, color=INK)
        axes.set_ylabel("F", color=INK)
        axes.set_title("plain training" if one.attack == PLAIN else one.attack, color=INK, fontsize=10, loc="left")
        axes.locator_params(nbins=5)
    _finish(figure, panels, len(pairings), kinds)
    text = (
        f"Protection F against {', '.join(dict.fromkeys(one.predictor.title for one in pairings))}. A type such as "
        "random / PGD says what perturbs the views of the noise step, then of the surrogate step. Bars are 95 % "
        "intervals, over noises of generators with several, else over the victims of one; a number measured once has "
        f"none. A line is fitted to at least {FEW} generators in which no bend is found (its p above 5 %, uncorrected)."
    )
    return drawing(figure, f"{file}.svg", text)


@rc_context(LITERAL)
def clouds(points: Mapping[str, Mapping[str, Sequence[Sequence[float]]]], of: str, file: str) -> Drawing:
    """A row for each embedding, by its name, a column for each source: its points (N, 2), and in grey where any lies.

    Place tells the sources apart, not colour, and no source hides another. `of` says whose perturbations they are.
    """
    sources = list(next(iter(points.values())))
    figure = _figure(CLOUD * len(sources), CLOUD * len(points) + 0.4)
    panels = figure.subplots(len(points), len(sources), squeeze=False, sharex="row", sharey="row")
    for row, (name, placed) in zip(panels, points.items(), strict=True):
        region = _region(np.concatenate([np.asarray(placed[source]) for source in sources]))
        row[0].set_ylabel(name, color=INK, fontsize=9)
        for axes, source in zip(row, sources, strict=True):
            axes.pcolormesh(*region, cmap=SHADE, vmin=0, vmax=1, rasterized=True)
            own = np.asarray(placed[source])
            axes.scatter(own[:, 0], own[:, 1], SMALL_SIZE, color=DOT, linewidths=0, rasterized=True)
            axes.use_sticky_edges = False  # points at the edge stay whole
            axes.set(xticks=[], yticks=[])
            bare(axes)
    for axes, source in zip(panels[0], sources, strict=True):
        axes.set_title(source, color=INK, fontsize=9)
    text = f"Embeddings of {of}, a column for each source: {', '.join(sources)}. Grey is where any of them lies."
    return drawing(figure, f"{file}.svg", text)


@rc_context(LITERAL)
def shapes(
    drawn: Mapping[str, tuple[Sequence[float], Mapping[str, Sequence[float]]]], doubling: str, file: str
) -> Drawing:
    """A panel for each quantity, by its name: shares of every source over it, with doubling steps over `doubling`.

    Shares are of images, over `doubling` of the variance. Uniform draws, signs, the generator and the victim have a
    colour and a marker each; the last network of a training has a whole line, the others shorter dashes the earlier
    they are.
    """
    figure = _figure(PANEL * len(drawn), PANEL + 0.3)
    for axes, (name, (across, up)) in zip(figure.subplots(1, len(drawn), squeeze=False)[0], drawn.items(), strict=True):
        families: dict[str, list[str]] = {}
        for source in up:
            families.setdefault(source.partition(" at ")[0], []).append(source)
        for number, family in enumerate(families.values()):
            for place, source in enumerate(family):
                ends = _ends(up[source])
                style = _line(number) | {"linestyle": LINES[(len(family) - 1 - place) % len(LINES)]}
                axes.plot(across[ends], up[source][ends], label=source, **style)
        axes.set_xlabel(name, color=INK)
        axes.set_ylabel("share of the variance" if name == doubling else "share of the images", color=INK)
        axes.set_ylim(bottom=0)
        bare(axes)
        if name == doubling:
            axes.set_xscale("log", base=2)
            axes.set_xticks(across[::2], [f"{at:g}" for at in across[::2]])
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=5, frameon=False, labelcolor=INK, fontsize=9)
    return drawing(figure, f"{file}.svg", f"Shares over {', '.join(drawn)}: {', '.join(labels)}")


def _figure(width: float, height: float) -> Figure:
    figure = canvas(width, height)
    figure.set_layout_engine("constrained")
    return figure


def _ends(shares: Sequence[float]) -> slice:
    """From the last nothing before anything to the first after it, so that a line is drawn where there is anything."""
    places = np.flatnonzero(shares)
    return slice(max(places[0] - 1, 0), places[-1] + 2) if len(places) else slice(None)


def _line(number: int) -> dict[str, Any]:
    colours = (QUIET, INK, *PALETTE)
    marker = MARKERS[number % len(MARKERS)]
    width = 1.2 if number else 4  # the first is a band, which shows below a line of the same course
    return {"color": colours[number % len(colours)], "marker": marker, "markersize": 3, "linewidth": width}


def _region(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges across, edges down and, of each square between them, whether a point lies in it: for `pcolormesh`."""
    counts, across, down = np.histogram2d(points[:, 0], points[:, 1], bins=SQUARES)
    return across, down, np.ma.masked_equal(counts.T > 0, False)


def _style(number: int) -> dict[str, Any]:
    return {
        "color": PALETTE[number % len(PALETTE)],
        "marker": MARKERS[number % len(MARKERS)],
        "linewidths": 0,
        "alpha": 0.85,
    }


def _across(count: int) -> int:
    """Panels in a row."""
    return 2 if count == 4 else min(count, 3)


def _panels(count: int, kinds: int) -> tuple[Figure, list[Axes]]:
    """Places for so many panels, below a legend of so many kinds."""
    across = _across(count)
    down = -(-count // across)
    figure = _figure(PANEL * across, PANEL * down + 0.2 * (1 + -(-kinds // across)))
    return figure, list(figure.subplots(down, across, squeeze=False).flat)


def _finish(figure: Figure, panels: Sequence[Axes], used: int, labels: Sequence[str]) -> None:
    """Little ink, and one legend for all panels."""
    for axes in panels[used:]:
        axes.set_visible(False)
    for axes in panels[:used]:
        axes.tick_params(colors=INK, labelsize=8)
        axes.patch.set_visible(False)
        for side, spine in axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set(color=INK, alpha=0.5)
    handles, _ = panels[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside upper center",
        ncols=_across(used),
        frameon=False,
        labelcolor=INK,
        fontsize=9,
        markerscale=1.4,
    )
