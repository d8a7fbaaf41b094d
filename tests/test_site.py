"""The documentation site is built, has every page, leads nowhere else by itself, and notices what is broken."""

import re
import shutil
from html import unescape
from pathlib import Path
from typing import Final

import pytest
from website.building import build
from website.staging import SECTIONS, pages, place_of, stage

from sukkal.service.operations import OPERATIONS, Operation
from sukkal.transports.websocket.answering import ACTIONS
from tests.pages import PAGES

ROOT: Final = Path(__file__).parents[1]
_REQUESTED: Final = re.compile(r"""<(?:script|img|link|iframe|source)\b[^>]*?\b(?:src|href)="(https?:)?//[^"]*""")
_MADE: Final = ("reference/http-operations.html", "reference/websocket-actions.html")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site once; whatever Sphinx warns of fails it."""
    out = tmp_path_factory.mktemp("site") / "site"
    assert build(ROOT, out) == ""
    return out


def html(site: Path, place: str) -> str:
    return (site / place).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_in_the_site_and_in_its_navigation(site: Path, page: str) -> None:
    place = place_of(page).removesuffix(".md") + ".html"
    assert (site / place).is_file()
    among = "decisions/index.html" if place.startswith("decisions/0") else "index.html"
    link = place.removeprefix("decisions/") if among.startswith("decisions") else place
    assert page == "docs/README.md" or f'class="reference internal" href="{link}"' in html(site, among)


def test_what_is_made_for_the_site_is_in_its_navigation(site: Path) -> None:
    for place in _MADE:
        assert f'href="{place}"' in html(site, "index.html")


def section_of(site: Path, place: str, heading: str) -> str:
    """Return the text of the section with a heading."""
    sections = re.split(r'<section id="([^"]+)">', html(site, place))
    named = dict(zip(sections[1::2], sections[2::2], strict=True))
    return unescape(re.sub(r"<[^>]+>", "", named[re.sub(r"[._]", "-", heading)]))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_has_its_place_in_the_reference(site: Path, operation: Operation) -> None:
    section = section_of(site, _MADE[0], operation.name)
    assert f"{operation.method} /v2{operation.path}\n" in section
    assert f"Rule: {operation.policy or 'none'}." in section


@pytest.mark.parametrize("action", [*ACTIONS, "authenticate", "notification", "delivery"])
def test_an_action_has_its_place_in_the_reference(site: Path, action: str) -> None:
    assert section_of(site, _MADE[1], action)


def test_no_page_asks_another_server_for_anything(site: Path) -> None:
    found = [(path.name, each[0]) for path in site.rglob("*.html") for each in _REQUESTED.finditer(path.read_text())]
    assert found == []
    assert not [
        path for path in site.rglob("*.css") if re.search(r"""(url\(|@import )["']?https?:""", path.read_text())
    ]


def test_what_is_searched_is_in_the_site(site: Path) -> None:
    assert (site / "searchindex.js").is_file()
    assert 'src="searchindex.js"' in html(site, "search.html")


def small(tmp_path: Path, text: str, *, also: str = "howto/two-words.md") -> str:
    """Build a repository of few pages, of which one has this text, and return what is wrong."""
    root = tmp_path / "repository"
    (root / "docs" / "howto").mkdir(parents=True)
    (root / "docs" / "decisions").mkdir()
    shutil.copytree(ROOT / "docs" / "reference", root / "docs" / "reference")
    (root / "docs" / "README.md").write_text("# Index\n\n[one](howto/one.md)\n")
    (root / "docs" / "decisions" / "README.md").write_text("# Decisions\n")
    (root / "docs" / "howto" / "one.md").write_text(f"# One\n\n{text}\n\n## Further\n")
    (root / "docs" / also).parent.mkdir(exist_ok=True)
    (root / "docs" / also).write_text("# Another\n")
    for path in (root / "docs" / "reference").glob("*.md"):
        path.write_text(re.sub(r"\]\((\.\./)+[^)]*\)", "]", path.read_text()))
    return build(root, tmp_path / "out")


BROKEN: Final = {
    "a page that is not there": "[x](two.md)",
    "a heading that is not there": "[x](#nowhere)",
    "a heading of another page that is not there": "[x](../reference/settings.md#nowhere)",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_link_fails_the_build(tmp_path: Path, text: str) -> None:
    assert "one.md" in small(tmp_path, text)


def test_a_good_link_does_not(tmp_path: Path) -> None:
    assert small(tmp_path, "[x](#further) [y](../README.md) [z](../reference/settings.md#settings)") == ""


def test_a_page_of_a_folder_that_the_site_does_not_know_fails_the_build(tmp_path: Path) -> None:
    assert "ode.md" in small(tmp_path, "text", also="poems/ode.md")


def test_links_are_led_to_where_the_site_has_the_pages(tmp_path: Path) -> None:
    stage(ROOT, tmp_path, {})
    assert "](../explanation/guarantees.md)" in (tmp_path / "project" / "readme.md").read_text()
    assert "](../files/src/sukkal/store.py)" in (tmp_path / "explanation" / "guarantees.md").read_text()
    assert (tmp_path / "files" / "src" / "sukkal" / "store.py").is_file()


def test_pages_are_those_of_the_repository_and_every_folder_has_a_name() -> None:
    assert {"README.md", "docs/README.md", "examples/murano/README.md"} <= set(pages(ROOT))
    folders = {place_of(page).partition("/")[0] for page in pages(ROOT)} - {"index.md", "decisions"}
    assert folders == SECTIONS.keys()
