"""What was given up, and another chance for it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.answering import Answering, Said
from tests.console.browsing import Console, Project


@pytest.fixture
def letters(project: Project) -> list[object]:
    """Have two messages given up, and return their bodies."""
    bodies: list[object] = ["unreadable", {"half": 12345678901234567890}]
    project.call("PUT", "/queues/orders", {"_max_claim_count": 1, "_dead_letter_queue": "failed"})
    project.post("orders", *bodies)
    claim = project.call("POST", "/queues/orders/claims", {"ttl": 300, "grace": 60})
    project.call("DELETE", f"/queues/orders/claims/{claim['messages'][0]['href'].partition('claim_id=')[2]}")
    while len(project.call("GET", "/queues/failed/messages?echo=true&wait=20")["messages"]) < len(bodies):
        pass
    return bodies


@pytest.fixture
def refusing() -> Iterator[Answering]:
    """Return a subscriber that takes nothing."""
    with Answering(lambda asked: Said(400)) as server:
        yield server


def test_dead_letters_say_why_and_where_from(console: Console, letters: list[object]) -> None:
    console.press("g", "d")
    expect(console.page.get_by_text("claimed once and never deleted, from orders")).to_be_visible()
    console.page.locator(".expand").first.click()
    expect(console.page.locator(".detail")).to_contain_text("Came from")


def test_one_click_brings_a_dead_letter_back(console: Console, project: Project, letters: list[object]) -> None:
    console.press("g", "d")
    console.page.locator(".expand").last.click()
    console.button("Redrive", exact=True).click()
    expect(console.page.locator(".expand")).to_have_count(1)
    assert project.bodies("orders") == letters[1:]
    assert project.bodies("failed") == letters[:1]


def test_all_dead_letters_of_a_queue_come_back_in_order(
    console: Console, project: Project, letters: list[object]
) -> None:
    console.press("g", "d")
    console.button("Redrive the dead letters of failed").click()
    expect(console.page.get_by_text("Nothing has been given up")).to_be_visible()
    assert project.bodies("orders") == letters
    assert project.bodies("failed") == []


def test_a_redrive_that_was_cut_short_posts_nothing_twice(
    console: Console, project: Project, letters: list[object]
) -> None:
    console.page.route("**/queues/failed/messages/*", lambda route: route.abort())
    console.expect_absence()
    console.press("g", "d")
    console.button("Redrive the dead letters of failed").click()
    alert = console.page.get_by_role("alert").filter(has_text="does not answer")
    expect(alert).to_be_visible()
    with console.page.expect_response("**/v2/queues?*"):
        console.press("r")
    expect(alert).to_be_visible()
    console.button("Dismiss").click()
    expect(alert).to_have_count(0)
    console.page.unroute("**/queues/failed/messages/*")
    console.button("Redrive the dead letters of failed").click()
    expect(console.page.get_by_text("Nothing has been given up")).to_be_visible()
    assert project.bodies("orders") == letters


def test_a_dead_letter_is_deleted(console: Console, project: Project, letters: list[object]) -> None:
    console.press("g", "d")
    console.page.locator(".expand").first.click()
    console.button("Delete", exact=True).click()
    expect(console.page.locator(".expand")).to_have_count(1)
    assert project.bodies("failed") == letters[1:]


def test_deliveries_that_were_given_up_are_there_too(console: Console, project: Project, refusing: Answering) -> None:
    order = {"subscriber": f"{refusing.url}/in", "ttl": 86_400, "options": {"_retry_schedule": []}}
    project.call("POST", "/queues/orders/subscriptions", order)
    project.post("orders", 1)
    console.press("g", "d")
    row = console.row(f"{refusing.url}/in")
    expect(row).to_contain_text("400")
    row.get_by_role("button", name="Redrive").click()
    expect(console.status).to_have_text("1 deliveries are tried again.")


def test_nothing_given_up_is_said_with_how_to_begin(console: Console, project: Project) -> None:
    console.press("g", "d")
    expect(console.page.locator("pre")).to_contain_text("_dead_letter_queue")
