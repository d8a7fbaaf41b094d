"""The documentation site in the browser: readable in light and dark, searched without a server, asking nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from website.building import build

from tests.console.browsing import faults_of
from tests.serving import ROOT

AXE: Final = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
PAGES: Final = (
    "index.html",
    "tutorial/five-minutes.html",
    "reference/websocket.html",
    "reference/http-operations.html",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "site"
    assert build(ROOT, out) == ""
    return out


@contextmanager
def opened(browser: Browser, address: str, scheme: Literal["light", "dark"] = "light") -> Iterator[Page]:
    """Open a page; it may ask for nothing but files of the site, and not complain."""
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(address)
    yield page
    context.close()
    assert [url for url in asked if not url.startswith("file:")] == []
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", PAGES)
def test_a_page_can_be_read_by_everybody(
    browser: Browser, site: Path, pictures: Path, place: str, scheme: Literal["light", "dark"]
) -> None:
    with opened(browser, (site / place).as_uri(), scheme) as page:
        page.screenshot(path=pictures / f"documentation-{Path(place).stem}-{scheme}.png")
        ask = "axe.run('article', { runOnly: ['color-contrast', 'link-in-text-block', 'heading-order', 'image-alt'] })"
        assert faults_of(page.evaluate(f"async () => {{ {AXE}; return {ask}; }}")) == []


def test_what_is_looked_for_is_found_without_a_server(browser: Browser, site: Path) -> None:
    with opened(browser, (site / "search.html").as_uri() + "?q=prefetch") as page:
        expect(page.locator("#search-results")).to_contain_text("Every action over WebSocket")
