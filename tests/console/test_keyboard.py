"""Everything without a mouse."""

import pytest
from playwright.sync_api import expect

from tests.console.browsing import Console, Project

PLACES = {"q": "Queues", "s": "Subscriptions", "e": "Events", "d": "Dead letters", "h": "Service"}


@pytest.mark.parametrize("key", PLACES)
def test_two_keys_lead_to_each_place(console: Console, key: str) -> None:
    console.press("g", key)
    expect(console.heading).to_have_text(PLACES[key])
    expect(console.heading).to_be_focused()


def test_a_queue_is_opened_read_and_left_by_keys_alone(console: Console, project: Project) -> None:
    project.post("orders", {"read": "me"})
    project.call("PUT", "/queues/zebras", {})
    console.press("r")
    expect(console.row("zebras")).to_be_visible()
    console.press("j", "j", "k", "Enter")
    expect(console.heading).to_have_text("orders")
    expect(console.page.locator(".expand")).to_be_visible()
    console.press("j", "Enter")
    expect(console.page.locator(".detail")).to_contain_text('"read": "me"')
    console.press("Escape")
    expect(console.page.locator(".detail")).to_have_count(0)
    console.press("Escape")
    expect(console.heading).to_have_text("Queues")


def test_a_message_is_posted_by_keys_alone(console: Console, project: Project) -> None:
    console.go("#/queues/orders")
    expect(console.page.get_by_text("No messages")).to_be_visible()
    console.press("n")
    console.type('{"typed": true}')
    console.press("Tab", "Tab", "Tab", "Tab", "Tab", "Enter")
    expect(console.page.locator(".expand")).to_have_count(1)
    assert project.bodies("orders") == [{"typed": True}]


def test_messages_are_claimed_and_released_by_keys_alone(console: Console, project: Project) -> None:
    project.post("orders", 1)
    console.go("#/queues/orders/claims")
    expect(console.page.get_by_text("Nobody holds a claim")).to_be_visible()
    console.press("n")
    expect(console.row("yours")).to_be_visible()
    console.press("j", "Tab", "Enter")
    expect(console.page.get_by_text("Nobody holds a claim")).to_be_visible()


def test_a_question_keeps_the_focus_and_gives_it_back(console: Console) -> None:
    console.press("n")
    dialog = console.page.get_by_role("dialog")
    expect(dialog.get_by_label("Name")).to_be_focused()
    for _ in range(12):
        console.press("Tab")
        assert console.page.evaluate(
            "() => document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    console.press("Escape")
    expect(dialog).to_have_count(0)


def test_the_keys_are_shown_and_do_nothing_while_one_types(console: Console) -> None:
    console.press("?")
    expect(console.page.get_by_role("dialog")).to_contain_text("Search, or filter what is shown")
    console.press("Escape")
    expect(console.page.get_by_role("dialog")).to_have_count(0)
    console.press("/")
    expect(console.page.get_by_role("searchbox")).to_be_focused()
    console.page.keyboard.type("gs?nr")
    expect(console.page.get_by_role("searchbox")).to_have_value("gs?nr")
    expect(console.heading).to_have_text("Queues")


def test_the_first_key_skips_to_the_content(console: Console) -> None:
    console.page.reload()
    expect(console.heading).to_be_visible()
    console.press("Tab")
    assert console.focused() == "Skip to the content"
    console.press("Enter", "Tab")
    expect(console.page.get_by_role("searchbox")).to_be_focused()


def test_a_redraw_keeps_the_focus_and_what_was_typed(console: Console, project: Project) -> None:
    project.call("PUT", "/queues/first", {})
    project.call("PUT", "/queues/second", {})
    console.press("r")
    expect(console.row("second")).to_be_visible()
    console.press("k")
    assert console.focused() == "second"
    project.call("PUT", "/queues/more", {})
    project.call("DELETE", "/queues/first")
    console.press("r")
    expect(console.row("more")).to_be_visible()
    expect(console.row("first")).to_have_count(0)
    assert console.focused() == "second"


def test_the_theme_is_turned_and_kept(console: Console) -> None:
    ground = "() => getComputedStyle(document.documentElement).backgroundColor"
    light = console.page.evaluate(ground)
    for words in ("Theme: light", "Theme: dark"):
        console.button("Theme:").focus()
        console.press("Enter")
        expect(console.button(words)).to_be_focused()
    assert console.page.evaluate(ground) != light
    console.page.reload()
    expect(console.button("Theme: dark")).to_be_visible()
