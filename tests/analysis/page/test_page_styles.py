"""Figures of a page share their styles and look as before."""

from playwright.sync_api import Browser

from analysis.page.page import _inline, _with_classes

OF = "fill: none; stroke: #0072b2"
FIGURE = (
    f'<svg><path id="a" d="M 0 0 L 9 9" style="{OF}"/><g><path id="b" style="{OF}"/></g><text style="{OF}">t</text>'
    '<path id="c" style="fill: #d55e00"/></svg>'
)
PAGE = f'<html><head><style>p {{ color: red; }}</style></head><body><p style="{OF}">{OF}</p>{FIGURE}</body></html>'


def test_a_style_of_several_elements_is_written_once_and_that_of_one_stays() -> None:
    shared = _with_classes(PAGE)
    assert shared.count("#0072b2") == 1 + 2  # and the paragraph with its style, which is no figure
    assert 'style="fill: #d55e00"' in shared
    text = '<text>M style="}body{display:none"</text>'
    assert f"<svg>{text}{text}</svg>" in _with_classes(f"<html><head></head><svg>{text}{text}</svg></html>")
    assert _with_classes("<html><head></head></html>") == "<html><head><style></style>\n</head></html>"


def test_places_are_rounded_and_labels_are_not() -> None:
    assert _inline('<svg><text x="1.23456">0.875</text></svg>') == '<svg><text x="1.23">0.875</text></svg>'


def test_every_element_of_a_figure_looks_as_before(browser: Browser) -> None:
    page, looks = browser.new_page(), []
    for words in (PAGE, _with_classes(PAGE)):
        page.set_content(words)
        looks.append(
            page.evaluate(
                "[...document.querySelectorAll('svg *')].map(one => [one.tagName, one.children.length,"
                " getComputedStyle(one).fill, getComputedStyle(one).stroke])"
            )
        )
    page.close()
    assert looks[0] == looks[1]
    assert ["path", 0, "none", "rgb(0, 114, 178)"] in looks[1]
