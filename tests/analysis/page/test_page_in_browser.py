"""The page of all committed records in a real browser: what a reader does with it, by mouse and by keyboard."""

from pathlib import Path

from playwright.sync_api import Browser, Page

from analysis.report import write_report
from bench.store import Store
from tests.analysis.conftest import results_of
from tests.analysis.page.test_answer import CLEAN, STRONG, runs

LARGEST = 3_000_000
"""Bytes of the page of all committed records."""
TABLE = "#contenders-small .view[data-view=accuracy] table"


def column(page: Page, name: str) -> list[str]:
    """What is shown in a column of the table of accuracies, its sort keys from top to bottom."""
    return page.evaluate(
        """([table, name]) => {
            const rows = [...document.querySelector(table).rows].filter((row) => row.offsetParent);
            const at = [...rows[0].cells].findIndex((cell) => cell.innerText.split("\\n")[0].trim() === name);
            return rows.slice(1).map((row) => row.cells[at].dataset.sort ?? row.cells[at].textContent.trim());
        }""",
        [TABLE, name],
    )


def headings(page: Page) -> list[str]:
    shown = page.locator(f"{TABLE} thead th:visible").all_inner_texts()
    return [" ".join(text.split()) for text in shown]


def numbers(page: Page, name: str) -> list[float]:
    return [float(value) for value in column(page, name) if value]


def test_the_page_of_all_committed_records_is_small(committed_page: Path) -> None:
    assert committed_page.stat().st_size < LARGEST


def test_the_first_screen_answers(page: Page) -> None:
    page.evaluate("scrollTo(0, 0)")
    seen = (
        "element => { const box = element.getBoundingClientRect(); return box.height > 0 && box.bottom < innerHeight; }"
    )
    for part in ("h2", ".ranking tbody tr:last-child", ".sentences li:last-child", ".verdicts li:last-child"):
        assert page.locator(f"#answer {part}").last.evaluate(seen), f"{part} is below the first screen"


def test_a_heading_sorts_by_mouse_and_by_keyboard(page: Page) -> None:
    heading = page.locator(f"{TABLE} thead button", has_text="JPEG")
    heading.click()
    page.wait_for_timeout(50)
    found = numbers(page, "JPEG")
    assert len(found) > 10
    assert found == sorted(found)  # what protects best stands first
    heading.focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(50)
    assert numbers(page, "JPEG") == sorted(found, reverse=True)


def test_numbers_are_sorted_by_what_they_are(page: Page) -> None:
    keys = {"54.3 ± 2.2": "54.3", "60.0†": "60", "24,000": "24000", "16/255": str(16 / 255), "-5.3": "-5.3"}
    keys |= {"1 (1 to 2)": "1", "6 of 14": "6", "-0.27 [-0.75, 0.45], p 1.000": "-0.27", "+1.00": "1"}
    keys |= {"does not apply": "does not apply", "3x3": "3x3", "\N{EN DASH}": ""}
    cell = "words => sortKey(Object.assign(document.createElement('td'), { textContent: words }))"
    assert {words: page.evaluate(cell, words) for words in keys} == keys


def test_filters_pick_methods_attacks_assumptions_and_costs(page: Page) -> None:
    page.fill("#filter [name=method]", "sem, tap")
    assert {name.split(",")[0] for name in column(page, "method")} == {"TAP", "EM", "SEM"}
    page.fill("#filter [name=method]", "")
    page.check("#filter [name=controls]")
    assert not {"clean", "random"} & set(column(page, "method"))
    page.fill("#filter [name=attack]", "pgd")
    assert all("PGD" in name for name in headings(page)[1:])
    page.wait_for_timeout(50)
    stops = (
        "table => [...table.querySelectorAll('[tabindex=\"0\"]')].some(one => one.hidden || one.parentElement.hidden)"
    )
    hidden = page.eval_on_selector_all("#tables table.sortable", f"tables => tables.map({stops})")
    assert not any(hidden), "Tab leads to a number that is not shown"
    page.fill("#filter [name=attack]", "")
    page.select_option("#filter [name=cost]", "1.5")
    assert "JPEG" in headings(page)
    assert not [name for name in headings(page) if "PGD" in name]
    page.click("#filter [type=reset]")
    page.wait_for_timeout(50)
    assert "clean" in column(page, "method")
    page.goto(page.url.replace("#contenders-small", "#best_response-small"))
    page.select_option("#filter [name=assumes]", "clean images")
    kept = page.locator("#best_response-small .view[data-view=gained] th:not([hidden])[data-assumes]")
    assert kept.count() > 0
    assert all("clean images" in one for one in kept.evaluate_all("all => all.map((one) => one.dataset.assumes)"))


def test_filters_that_match_nothing_say_so(page: Page) -> None:
    said = page.locator("#filter output")
    assert not said.inner_text()
    page.fill("#filter [name=method]", "no such method")
    assert said.inner_text().startswith("matches something in ")
    assert not page.locator(f"{TABLE}:visible").count()
    box = page.locator("#contenders-small .view[data-view=accuracy] .scroll").first
    assert "Nothing here" in box.evaluate("one => getComputedStyle(one, '::before').content")
    page.click("#filter [type=reset]")
    page.locator(TABLE).wait_for()
    assert not said.inner_text()


def test_a_reader_chooses_between_accuracy_recovered_and_gained(page: Page) -> None:
    page.goto(page.url.replace("#contenders-small", "#best_response-small"))
    block = page.locator("#best_response-small .views").first
    for word in ("recovered", "gained", "accuracy"):
        block.get_by_role("radio", name=word).check()
        shown = block.locator(".view:visible")
        assert shown.count() == 1
        assert shown.get_attribute("data-view") == word


def test_every_number_opens_its_records(page: Page) -> None:
    table = page.locator(TABLE)
    number = table.locator("tr", has_text="NTGA").last.locator("td[data-cells]").first
    number.click()
    dialog = page.locator("#opened")
    dialog.wait_for()
    words = " ".join(dialog.inner_text().split())
    for part in (
        "victim seed",
        "radius=16/255",
        "steps=800",
        "train passes",
        "commit",
        "Make it again",
        "--only seed=0",
    ):
        assert part in words
    assert dialog.locator("polyline.test").count() == 3
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    filled = ".view td[data-sort]:not([data-sort=''])"
    assert page.locator(filled).count() > 1000
    assert page.locator(f"{filled}:not([data-cells])").count() == 0


def test_numbers_are_reached_and_opened_by_keyboard(page: Page) -> None:
    first = page.locator(f"{TABLE} td[tabindex='0']")
    assert first.count() == 1
    first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    at = page.evaluate("[document.activeElement.parentElement.rowIndex, document.activeElement.cellIndex]")
    assert at == [2, 2]
    page.keyboard.press("Enter")
    page.locator("#opened").wait_for()


def test_what_is_shown_is_copied_as_markdown_and_latex_and_saved_as_csv(page: Page) -> None:
    page.evaluate("() => { navigator.clipboard.writeText = async (words) => { window.pasted = words; }; }")
    page.fill("#filter [name=attack]", "jpeg")
    page.fill("#filter [name=method]", "clean")
    tools = page.locator("#contenders-small .view[data-view=accuracy] .tools")
    tools.get_by_text("copy Markdown").click()
    caption, _, head, rule, row = page.evaluate("pasted").splitlines()
    assert caption.startswith("Final accuracy on clean test images")
    assert (head, rule) == ("| method | JPEG |", "| --- | --- |")
    assert row.startswith("| clean | ")
    tools.get_by_text("copy LaTeX").click()
    assert r"$\pm$" in page.evaluate("pasted")
    with page.expect_download() as saved:
        tools.get_by_text("download CSV").click()
    assert Path(saved.value.path()).read_text().splitlines()[0] == "method,JPEG"
    page.fill("#filter [name=attack]", "pgd 4/255")
    page.fill("#filter [name=method]", "")
    tools.get_by_text("copy LaTeX").click()
    head, *rows = page.evaluate("pasted").splitlines()[3:]
    assert head == r"method & PGD 4/255 \\"  # without the paper's radius, which stands below it
    assert any(r"& \textbf{" in row for row in rows)
    tools.get_by_text("copy Markdown").click()
    assert "| **" in page.evaluate("pasted")


def test_what_is_incomplete_stays_below_however_the_ranking_is_sorted(browser: Browser, tmp_path: Path) -> None:
    results_of(tmp_path, runs(clean=CLEAN, em=[0.7, 0.71, 0.72], sem=[0.3, None, 0.32], rem=STRONG))
    page = browser.new_page()
    page.goto(write_report(Store(tmp_path)).page.as_uri())
    ranking = page.locator("#answer .ranking")
    for _ in range(2):
        ranking.get_by_role("button", name="accuracy").click()
        rows = ranking.locator("tbody tr").all_inner_texts()
        at_least = ["≥" in row for row in rows]
        assert any(at_least)
        assert at_least == sorted(at_least)


def test_no_two_sections_have_the_same_title(page: Page) -> None:
    titles = page.locator("h2, h3, .caption, .fold > summary").evaluate_all(
        "all => all.map((one) => one.textContent.trim().split(/\\s+/).join(' '))"
    )
    assert len(titles) > 30
    assert sorted(titles) == sorted(set(titles))


def test_a_link_opens_the_portrait_of_a_method(page: Page) -> None:
    page.evaluate("scrollTo(0, 0)")
    page.locator("#answer .ranking").get_by_role("link", name="SEM", exact=True).click()
    portrait = page.locator("#method-sem")
    portrait.get_by_text("broken by").wait_for()
    assert "Stable error-minimising noise" in portrait.inner_text()
    portrait.locator("td[data-cells]").first.click()
    page.locator("#opened").wait_for()
    page.keyboard.press("Escape")
    portrait.get_by_role("link", name="What its noise looks like").click()
    assert page.locator("#noise-sem img").count() == 3
    assert page.locator("#noise-sem img").first.evaluate("image => image.naturalWidth") > 100
