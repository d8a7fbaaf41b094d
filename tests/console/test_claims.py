"""Claims that are made in the console, and those of others."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.console.browsing import Console, Project


def claimed(project: Project) -> int:
    return int(project.call("GET", "/queues/orders/stats")["messages"]["claimed"])


def becomes(look: Callable[[], object], wanted: object, console: Console) -> None:
    """Look again, as long as the browser needs for a picture each time, until something is so."""
    for _ in range(1_000):
        if look() == wanted:
            return
        console.page.evaluate("() => new Promise(requestAnimationFrame)")
    assert look() == wanted


def take(console: Console, project: Project, *bodies: object) -> None:
    project.post("orders", *bodies)
    console.go("#/queues/orders/claims")
    console.page.get_by_label("How many messages").fill("2")
    console.button("Claim messages").click()
    expect(console.row("yours").first).to_be_visible()


def test_messages_are_claimed_and_given_back(console: Console, project: Project) -> None:
    take(console, project, 1, 2, 3)
    assert claimed(project) == 2
    console.button("Release the claim").click()
    expect(console.page.get_by_text("Nobody holds a claim")).to_be_visible()
    assert claimed(project) == 0


def test_one_message_is_finished_and_one_given_back(console: Console, project: Project) -> None:
    take(console, project, "done", "not yet")
    messages = console.page.get_by_role("region", name="Messages of the claim")
    messages.locator(".expand").first.click()
    console.button("Done: delete it").click()
    expect(messages.locator(".expand")).to_have_count(1)
    assert project.bodies("orders") == ["not yet"]
    messages.locator(".expand").first.click()
    console.button("Give it back").click()
    expect(console.status).to_have_text("Message given back.")
    becomes(lambda: claimed(project), 0, console)


def test_a_claim_outlives_a_look_at_another_part_of_its_queue(console: Console, project: Project) -> None:
    take(console, project, 1, 2)
    console.page.get_by_role("link", name="Messages").click()
    expect(console.page.locator(".expand")).to_have_count(2)
    assert claimed(project) == 2


def test_who_leaves_the_queue_releases_what_was_claimed(console: Console, project: Project) -> None:
    take(console, project, 1, 2)
    console.page.get_by_role("link", name="Subscriptions").first.click()
    expect(console.heading).to_have_text("Subscriptions")
    becomes(lambda: claimed(project), 0, console)


def test_who_signs_out_releases_what_was_claimed(console: Console, project: Project) -> None:
    take(console, project, 1, 2)
    console.button("Sign out").click()
    expect(console.button("Sign in")).to_be_visible()
    assert claimed(project) == 0


def test_who_closes_the_page_releases_what_was_claimed(
    console: Console, project: Project, tab: Callable[..., Console]
) -> None:
    take(console, project, 1, 2)
    console.page.goto("about:blank")
    watching = tab(console.url)
    watching.open()
    becomes(lambda: claimed(project), 0, watching)
    console.elsewhere.clear()


def test_a_claim_of_somebody_else_is_released_only_after_a_question(console: Console, project: Project) -> None:
    project.post("orders", "theirs")
    project.call("POST", "/queues/orders/claims", {"ttl": 300, "grace": 60})
    console.go("#/queues/orders/claims")
    console.page.locator(".expand").first.click()
    expect(console.page.get_by_text("theirs")).to_be_visible()
    console.button("Release the claim").click()
    expect(console.page.get_by_role("dialog")).to_contain_text("Somebody else made it")
    console.page.get_by_role("dialog").get_by_role("button", name="Release").click()
    expect(console.page.get_by_text("Nobody holds a claim")).to_be_visible()


def test_an_empty_queue_has_nothing_to_claim(console: Console, project: Project) -> None:
    project.call("PUT", "/queues/orders", {})
    console.go("#/queues/orders/claims")
    console.button("Claim messages").click()
    expect(console.status).to_have_text("There is nothing to claim now.")
