"""The page of all committed records, opened in a browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from analysis.report import write_report
from bench.cards import card
from bench.store import Store

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def committed_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of all committed records."""
    folder = tmp_path_factory.mktemp("results")
    for part in ("cells", "plans"):
        (folder / part).symlink_to(Path("results", part).resolve())
    return write_report(Store(folder), card=card).page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.fail(f"no browser to open the page with: install one of {', '.join(BROWSERS)} (apt install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, committed_page: Path) -> Iterator[Page]:
    """The page as a reader opens it; nothing may go wrong or be asked for in it."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        troubles: list[str] = []
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda one: one.url.startswith(("file:", "blob:")) or troubles.append(one.url))
        page.goto(f"{committed_page.as_uri()}#contenders-small")
        yield page
        assert troubles == []
