"""Searching events, the catalogue of their types, and saved searches."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.console.browsing import Console, Project


def event(number: int, kind: str, **data: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": str(number), "source": f"/shop/{number % 2}", "type": kind, "data": data}


@pytest.fixture
def indexed(project: Project) -> Project:
    """Return a project with events that can be found."""
    project.call("PUT", "/queues/shop", {"_search": True})
    project.post(
        "shop", event(1, "order.paid", by="ada"), event(2, "order.sent", by="ada"), event(3, "order.paid", by="bob")
    )
    while len(project.call("GET", "/events")["events"]) < 3:
        pass
    return project


def test_events_are_found_by_words_and_narrowed_down(console: Console, indexed: Project) -> None:
    console.press("g", "e")
    rows = console.page.locator("#view .expand")
    expect(rows).to_have_count(3)
    console.press("/")
    console.type("ada")
    expect(rows).to_have_count(2)
    console.button("order.sent", exact=False).last.click()
    console.page.get_by_role("complementary").get_by_role("button", name="order.sent").click()
    expect(rows).to_have_count(1)
    console.button("No longer only type order.sent").click()
    expect(rows).to_have_count(2)
    console.page.get_by_role("searchbox").fill("nowhere")
    expect(console.page.get_by_text("Nothing found")).to_be_visible()


def test_an_event_opens(console: Console, indexed: Project) -> None:
    console.press("g", "e")
    console.page.locator(".expand").first.click()
    expect(console.page.locator(".detail pre")).to_contain_text('"by": "bob"')


def test_a_search_that_is_refused_says_why(console: Console, indexed: Project) -> None:
    console.expect_refusals(400)
    console.press("g", "e")
    console.page.get_by_role("searchbox").fill('"open')
    expect(console.page.get_by_role("alert")).to_contain_text("req-")


def test_the_catalogue_shows_types_and_their_schema(console: Console, indexed: Project) -> None:
    console.go("#/events/types")
    expect(console.row("order.paid")).to_contain_text("2")
    console.page.get_by_role("searchbox").fill("sent")
    expect(console.page.locator(".expand")).to_have_count(1)
    console.page.locator(".expand").click()
    expect(console.page.locator(".detail pre")).to_contain_text('"by"')


def test_a_search_is_saved_and_deleted(console: Console, indexed: Project) -> None:
    console.go("#/events/searches")
    console.button("Save a search").click()
    dialog = console.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("paid")
    dialog.get_by_label("Type").fill("order.paid")
    dialog.get_by_label("Post to the queue").fill("paid")
    dialog.get_by_role("button", name="Save").click()
    expect(console.row("order.paid")).to_be_visible()
    assert [each["name"] for each in indexed.call("GET", "/searches")["searches"]] == ["paid"]
    console.button("Delete the search paid").click()
    console.button("Delete the search", exact=True).click()
    expect(console.page.get_by_text("No saved searches")).to_be_visible()


def test_empty_parts_say_how_to_begin(console: Console) -> None:
    for at, command in (("#/events", "_search"), ("#/events/types", "specversion"), ("#/events/searches", "searches")):
        console.go(at)
        expect(console.page.locator("#view pre")).to_contain_text(command)
