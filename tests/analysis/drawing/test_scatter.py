"""The scatter of the correlation study: its line, and its legend in few panels."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.drawing import scatter
from analysis.numbers.association import FEW
from analysis.reading.pairings import Pairing, Predictor
from analysis.writing.sections import Drawing


def drawn(first: list[float], second: list[float], kinds: int, monkeypatch: pytest.MonkeyPatch) -> Figure:
    """The figure of one panel."""
    names = [f"g{number}" for number in range(len(first))]
    widths = ([0.0] * len(first), [0.0] * len(first))
    predictor = Predictor("some", "b", "B", lambda _: None)
    pairing = Pairing(predictor, "none", first, second, names, widths, [1] * len(first), {})
    figures = []
    monkeypatch.setattr(scatter, "drawing", lambda figure, *_: figures.append(figure) or Drawing("", "", ""))
    types = {name: f"a type of generator {number % kinds}" for number, name in enumerate(names)}
    scatter.scatter([pairing], types, "file")
    return figures[0]


def test_a_line_is_fitted_to_enough_points_without_a_bend(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(0, 1, FEW)
    y = x + np.random.default_rng(0).normal(scale=0.2, size=FEW)
    lines = [
        len(drawn(list(first), list(second), 1, monkeypatch).axes[0].lines)
        for first, second in ((x, y), (x[1:], y[1:]), (x, (x - 0.5) ** 2 + y / 100))
    ]
    bars = len(drawn(list(x[1:]), list(y[1:]), 1, monkeypatch).axes[0].lines)
    assert lines == [bars + 1, bars, bars]


@pytest.mark.parametrize("kinds", [1, 5])
def test_the_legend_of_one_panel_stays_within_the_figure(kinds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = drawn([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 3.0, 2.0, 5.0, 4.0], kinds, monkeypatch)
    figure.canvas.draw()
    [legend] = figure.legends
    inside, whole = legend.get_window_extent(), figure.bbox
    assert whole.x0 <= inside.x0 < inside.x1 <= whole.x1
    assert whole.y0 <= inside.y0 < inside.y1 <= whole.y1
    assert figure.axes[0].get_window_extent().height > 100
