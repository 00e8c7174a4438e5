"""Figures of a page share their styles and look as before."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from playwright.sync_api import Browser

from analysis.drawing.scatter import clouds
from analysis.page.page import _inline, _with_classes

OF = "fill: none; stroke: #0072b2"
FIGURE = (
    f'<svg><path id="a" d="M 0 0 L 9 9" style="{OF}"/><g><path id="b" style="{OF}"/></g><text style="{OF}">t</text>'
    '<path id="c" style="fill: #d55e00"/></svg>'
)
PAGE = f'<html><head><style>p {{ color: red; }}</style></head><body><p style="{OF}">{OF}</p>{FIGURE}</body></html>'


def in_each(browser: Browser, script: str, pages: Sequence[str]) -> list[Any]:
    """What a script finds in each of some pages."""
    page, found = browser.new_page(), []
    for words in pages:
        page.set_content(words)
        found.append(page.evaluate(script))
    page.close()
    return found


def test_a_style_of_several_elements_is_written_once_and_that_of_one_stays() -> None:
    shared = _with_classes(PAGE)
    assert shared.count("#0072b2") == 1 + 2  # and the paragraph with its style, which is no figure
    assert 'style="fill: #d55e00"' in shared
    text = '<text>M style="}body{display:none"</text>'
    assert f"<svg>{text}{text}</svg>" in _with_classes(f"<html><head></head><svg>{text}{text}</svg></html>")
    assert _with_classes("<html><head></head></html>") == "<html><head><style></style>\n</head></html>"


def test_places_are_rounded_and_lines_are_short_and_labels_are_not() -> None:
    assert _inline('<svg><text x="1.23456">0.875 M 1</text></svg>') == '<svg><text x="1.23">0.875 M 1</text></svg>'
    line = '<path d="M 1 -2.345 L 3 4 C 1 2 3 4 5 6 z " class="A B"/>'
    assert (
        _inline(f"<svg><g><g/>{line}</g></svg>")
        == '<svg><g><path d="M1 -2.34L3 4C1 2 3 4 5 6z" class="A B"/></g></svg>'
    )


def test_a_figure_is_drawn_as_before(browser: Browser) -> None:
    """Every line, mark and image of a real figure keeps its place; letters are those of the page."""
    drawn = clouds({"UMAP": {"uniform": [(0, 0), (0.1, 0.1)], "victim": [(1, 1)]}}, "perturbations", "-x").svg
    boxes = in_each(
        browser,
        "[...document.querySelectorAll('svg path, svg use, svg image')]"
        ".map(one => { const box = one.getBBox(); return [box.x, box.y, box.width, box.height]; })",
        (drawn, _inline(drawn)),
    )
    before, after = np.asarray(boxes[0]), np.asarray(boxes[1])
    assert before.shape == after.shape
    assert np.ptp(before, axis=0).min() > 10
    assert np.abs(before - after).max() < 0.05


def test_every_element_of_a_figure_looks_as_before(browser: Browser) -> None:
    looks = in_each(
        browser,
        "[...document.querySelectorAll('svg *')].map(one => [one.tagName, one.children.length,"
        " getComputedStyle(one).fill, getComputedStyle(one).stroke])",
        (PAGE, _with_classes(PAGE)),
    )
    assert looks[0] == looks[1]
    assert ["path", 0, "none", "rgb(0, 114, 178)"] in looks[1]
