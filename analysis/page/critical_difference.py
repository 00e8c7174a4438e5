"""The critical-difference diagram: mean ranks of methods over attacks, and which of them are not told apart."""

import math
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from analysis.drawing.canvas import INK, LITERAL, PALETTE, bare, canvas, drawing
from analysis.page.ranking import Ranked
from analysis.reading.conditions import ConditionResult
from analysis.reading.controls import answers_among
from analysis.writing.sections import Drawing

LEVEL = 0.05
FEWEST = 4
"""Methods and attacks below which ranks say nothing."""
LINE, WIDTH = 0.22, 8.2
"""Inches of a line of names, and of the figure."""


def mean_ranks(accuracies: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The mean rank of each method over the attacks, 1 the lowest accuracy; ties share their ranks."""
    ranks = rankdata(np.array(list(accuracies.values())), axis=0).mean(axis=1)
    return dict(sorted(zip(accuracies, map(float, ranks), strict=True), key=lambda pair: pair[1]))


def critical_difference(methods: int, attacks: int) -> float:
    """How far mean ranks must lie apart to differ at LEVEL, by Nemenyi's test."""
    quantile = studentized_range.ppf(1 - LEVEL, methods, np.inf) / math.sqrt(2)
    return float(quantile * math.sqrt(methods * (methods + 1) / (6 * attacks)))


def cliques(ranks: Sequence[float], gap: float) -> list[tuple[int, int]]:
    """The longest runs, first and last place, of ascending ranks that differ by no more than `gap`."""
    found: list[tuple[int, int]] = []
    for start in range(len(ranks)):
        end = max(place for place in range(start, len(ranks)) if ranks[place] - ranks[start] <= gap)
        if end > start and (not found or end > found[-1][1]):
            found.append((start, end))
    return found


def table_of_accuracies(rows: Sequence[Ranked], conditions: Sequence[ConditionResult]) -> dict[str, list[float]]:
    """Accuracies of each complete method under every attack that assumes nothing and that all of them have met."""
    titles = [row.title for row in rows if not (row.control or row.missing)]
    place = next((row.best.place for row in rows if row.best), None)
    found: dict[str, dict[str, float]] = {}
    for one in answers_among([one for one in conditions if one.place == place]):
        value = one.accuracy
        if one.method.title in titles and value and one.is_comparable and not one.assumes:
            found.setdefault(one.attack.title, {})[one.method.title] = value.mean
    whole = [one for one in found.values() if len(one) == len(titles)]
    return {title: [one[title] for one in whole] for title in titles}


def ranks_figure(rows: Sequence[Ranked], conditions: Sequence[ConditionResult]) -> list[Drawing]:
    """One, if there are enough methods and attacks."""
    accuracies = table_of_accuracies(rows, conditions)
    attacks = len(next(iter(accuracies.values()), []))
    if len(accuracies) < FEWEST or attacks < FEWEST:
        return []
    ranks, gap = mean_ranks(accuracies), critical_difference(len(accuracies), attacks)
    p = float(friedmanchisquare(*accuracies.values()).pvalue)
    text = (
        f"Mean rank of each method over {attacks} attacks; 1 protects best. A bar joins methods whose ranks differ by "
        f"less than the critical difference of Nemenyi's test, {gap:.2f}. Friedman's test: p = {p:.2g}. "
        "It counts each attack alike, so it says who protects against many attacks, not against the best one."
    )
    return [drawing(_diagram(ranks, gap), "-ranks.svg", text)]


def _diagram(ranks: Mapping[str, float], gap: float) -> matplotlib.figure.Figure:
    places, groups = list(ranks.values()), cliques(list(ranks.values()), gap)
    half = -(-len(ranks) // 2)
    top = 0.14 * len(groups) + 0.2
    height = top + LINE * half + 0.75
    figure = canvas(WIDTH, height)
    left, right = 1.9 / WIDTH, 1 - 1.9 / WIDTH
    axes = figure.add_axes((left, 0.1 / height, right - left, 1 - 0.5 / height))
    with matplotlib.rc_context(LITERAL):
        bare(axes)
        axes.set_xlim(1, len(ranks))
        axes.set_ylim(-(top + LINE * half), 0)
        axes.spines["left"].set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.spines["top"].set(visible=True, color=INK, alpha=0.5)
        axes.tick_params(labeltop=True, labelbottom=False)
        axes.set_yticks([])
        for number, (start, end) in enumerate(groups):
            ends = (places[start] - 0.08, places[end] + 0.08)
            axes.plot(ends, [-(0.14 * number + 0.14)] * 2, color=PALETTE[1], linewidth=3.2, solid_capstyle="butt")
        for place, (title, rank) in enumerate(ranks.items()):
            first = place < half
            down = -(top + LINE * (place if first else len(ranks) - 1 - place) + 0.1)
            edge = axes.get_xlim()[0 if first else 1]
            axes.plot([rank, rank, edge], [0, down, down], color=INK, linewidth=0.8, alpha=0.6, clip_on=False)
            axes.annotate(
                f"{title}  {rank:.1f}" if first else f"{rank:.1f}  {title}",
                (edge, down),
                (-4 if first else 4, 0),
                textcoords="offset points",
                ha="right" if first else "left",
                va="center",
                color=INK,
                fontsize=9,
                annotation_clip=False,
            )
    return figure
