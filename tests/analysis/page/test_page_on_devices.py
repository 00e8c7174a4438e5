"""The page of all committed records on a phone, without scripts, in the dark, and scrolled."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

TABLE = "#table14-small .view[data-view=accuracy] .scroll.fits table"
TOP = "one => one.getBoundingClientRect().top"


@pytest.mark.parametrize("width", [390, 768])
def test_a_phone_shows_all_without_scrolling_sideways(browser: Browser, committed_page: Path, width: int) -> None:
    with browser.new_context(viewport={"width": width, "height": 844}) as context:
        page = context.new_page()
        page.goto(committed_page.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator("main td[data-cells]").first.click()
        page.locator("#opened").wait_for()
        assert page.evaluate("document.getElementById('opened').getBoundingClientRect().right") <= width


def test_headings_and_first_column_stay_where_a_table_is_scrolled(page: Page) -> None:
    places = page.evaluate(
        """() => {
            const box = document.querySelector("#best_response-small .view[data-view=accuracy] .scroll");
            document.getElementById("best_response-small").open = true;
            box.style.height = "12rem";
            box.scrollTo(300, 200);
            const [head, first] = ["thead th:nth-child(2)", "tbody th"].map((one) => box.querySelector(one));
            const [at, up, left] = [box, head, first].map((one) => one.getBoundingClientRect());
            return [box.scrollLeft, up.top - at.top, left.left - at.left];
        }"""
    )
    assert places == [300, 0, 0]


def test_the_head_of_a_table_that_fits_stays_in_sight_below_the_filters(page: Page) -> None:
    page.goto(page.url.partition("#")[0] + "#table14-small")
    table = page.locator(TABLE)
    table.wait_for()
    table.evaluate("table => scrollBy(0, table.tBodies[0].rows[3].getBoundingClientRect().top - 60)")
    bar = page.locator("#filter").evaluate("one => one.getBoundingClientRect().bottom")
    head, top = (page.locator(f"{TABLE} {one}").last.evaluate(TOP) for one in ("thead th", "tbody tr:first-child"))
    assert head == pytest.approx(bar, abs=1)
    assert top < 0


def test_without_scripts_the_tables_and_the_answer_are_there(browser: Browser, committed_page: Path) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(committed_page.as_uri())
        assert page.locator(".ranking").first.is_visible()
        assert not page.locator("#filter").is_visible()
        page.locator("#contenders-small > summary").click()
        assert page.locator("#contenders-small .view").nth(1).is_visible()


def test_the_page_is_dark_where_a_reader_wants_it(browser: Browser, committed_page: Path) -> None:
    with browser.new_context(color_scheme="dark") as context:
        page = context.new_page()
        page.goto(committed_page.as_uri())
        colours = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
        )
    back, ink = ([int(part) for part in one[4:-1].split(",")] for one in colours)
    assert max(back) < 60
    assert min(ink) > 180


def test_on_paper_every_table_is_whole(page: Page) -> None:
    page.goto(page.url.partition("#")[0] + "#best_response-small")
    widths = "tables => tables.map((one) => one.getBoundingClientRect().width)"
    wide = page.locator("#best_response-small table").evaluate_all(widths)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    narrow = page.locator("#best_response-small table").evaluate_all(widths)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert max(wide) > 2000
    assert max(narrow) <= page.evaluate("innerWidth")  # they fill what there is, and no more
    assert page.locator("#best_response-small table").evaluate_all(widths) == wide
