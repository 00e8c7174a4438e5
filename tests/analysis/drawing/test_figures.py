import re
from html import unescape
from itertools import pairwise

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from analysis.drawing.canvas import svg
from analysis.drawing.figures import CROWD, LABEL_GAP, MANY, WIDTH, _spread, accuracy_figure
from analysis.reading.conditions import ConditionResult
from tests.analysis.conftest import condition


def drawn(*conditions: ConditionResult) -> str:
    figure = accuracy_figure(conditions)
    assert figure is not None
    return svg(figure)


LONG_NAME = "early stopping, protected 0.8, directions random + orthogonal projection, 100 % clean"


@pytest.mark.parametrize("name", ["", LONG_NAME])
@pytest.mark.parametrize(
    ("methods", "attacks"), [(1, 1), (3, MANY), (CROWD, 2), (2, MANY + 1), (CROWD + 9, 1), (30, 40)]
)
def test_no_figure_cuts_a_title_or_a_label(methods: int, attacks: int, name: str) -> None:
    conditions = [
        condition(f"em radius={row}/255{name}", f"pgd radius={column}/255{name}", [0.1, 0.99])
        for row in range(methods)
        for column in range(attacks)
    ]
    figure = accuracy_figure(conditions)
    assert figure is not None
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    assert len(shown) > methods + attacks
    for text in shown:
        box = text.get_window_extent()
        assert min(box.x0, box.y0) >= 0, text
        assert box.x1 <= figure.bbox.x1, text
        assert box.y1 <= figure.bbox.y1, text


def test_a_figure_of_lines_is_as_wide_as_a_page() -> None:
    figure = accuracy_figure([condition(method, "none", [0.5]) for method in ("clean", "em", "em radius=1/255")])
    assert figure is not None
    assert figure.get_figwidth() == pytest.approx(WIDTH, abs=0.1)


def test_the_same_table_draws_the_same_figure() -> None:
    made = [condition("clean", "none", [0.5, 0.6]), condition("em", "none", [0.2, 0.3])]
    figure = drawn(*made)
    assert figure == drawn(*made)
    assert figure.startswith("<svg")
    assert ">clean<" in figure
    assert ">EM<" in figure


def test_what_only_clean_images_meet_is_not_drawn() -> None:
    made = [condition("clean", "none", [0.5]), condition("clean", "pgd", [0.4]), condition("em", "none", [0.2])]
    assert ">PGD<" not in drawn(*made)
    assert not accuracy_figure([condition("clean", "pgd", [0.4]), condition("em", "none", [], planned=1)])
    assert ">PGD<" in drawn(condition("clean", "none", [0.5]), condition("clean", "pgd", [0.4]))


def test_many_attacks_are_a_heat_map_that_shows_every_accuracy_once() -> None:
    attacks = [f"pgd radius={number}/255" for number in range(MANY + 1)]
    clean = [condition("clean", attack, [0.5]) for attack in attacks]
    protected = [condition("em", attack, [0.1 + 0.02 * number]) for number, attack in enumerate(attacks[1:])]
    unfinished = condition("em", attacks[0], [], planned=1)
    figure = drawn(*clean, unfinished, *protected)
    assert figure == drawn(*clean, unfinished, *protected)
    assert figure.count(">50<") == len(attacks)
    assert all(figure.count(f">{10 + 2 * number}<") == 1 for number in range(MANY))
    assert figure.count(">PGD") == len(attacks)
    few = drawn(*clean[:3], *protected[:2])
    assert few.count(">50<") <= 1  # a number of the axis


def test_a_crowd_of_methods_is_a_heat_map_too() -> None:
    crowd = [condition(f"em radius={number}/255", "none", [0.1 + 0.02 * number]) for number in range(CROWD + 1)]
    assert all(drawn(*crowd).count(f">{10 + 2 * number}<") == 1 for number in range(CROWD + 1))
    assert ">12<" not in drawn(*crowd[1:])


def test_long_names_of_attacks_are_broken_into_lines_that_fit_beside_each_other() -> None:
    stacks = [f"pgd radius={number}/255 + random + clean + pgd radius=1/255" for number in range(5)]
    made = [condition(method, stack, [0.5]) for stack in stacks for method in ("clean", "em")]
    texts = [unescape(text) for text in re.findall(r">([^<>\n]+)</text>", drawn(*made))]
    for column in made[::2]:
        words = column.attack.title.split()
        assert any(" ".join(texts[start:]).startswith(" ".join(words)) for start in range(len(texts)))
    assert max(len(text) for text in texts if "accuracy" not in text) < 20


def test_twenty_labels_fit_the_height_of_the_axis() -> None:
    heights = _spread([0.5] * 20, 1 / 20)
    assert heights[0] > 0
    assert heights[-1] < 1


def test_labels_of_lines_that_end_together_are_moved_apart_and_stay_in_order() -> None:
    heights = _spread([0.1, 0.5, 0.5, 0.51, 0.9], LABEL_GAP)
    assert (heights[0], heights[-1]) == (0.1, 0.9)
    assert sum(heights[1:4]) == pytest.approx(1.51)
    assert all(upper - lower >= LABEL_GAP - 1e-9 for lower, upper in pairwise(heights))
