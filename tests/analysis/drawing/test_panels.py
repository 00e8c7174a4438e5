"""Small multiples: what is written in them is text."""

from analysis.drawing.canvas import drawing
from analysis.drawing.panels import Curve, Panel, panels
from tests.analysis.drawing.test_pictures import words


def test_a_title_is_text_also_with_signs_of_mathematics() -> None:
    name = "cost $\\bad$"
    figure = panels([Panel(name, [Curve("first", [0, 1], [50, 60])])], "steps", "accuracy, %", {"first": name})
    assert words(drawing(figure, "-x.svg", "")).count(name) == 2
