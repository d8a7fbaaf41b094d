"""Subscriptions and what became of their deliveries."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.answering import Answering, Asked, Said
from tests.console.browsing import Console, Project


class Receiver:
    """A subscriber that answers with ``status``."""

    def __init__(self) -> None:
        self.status = 200
        self.server = Answering(self.answer)

    def answer(self, asked: Asked) -> Said:
        return Said(self.status, b"<b>so it is</b>")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a subscriber."""
    made = Receiver()
    with made.server:
        yield made


def subscribe(project: Project, receiver: Receiver, queue: str = "orders", **options: object) -> str:
    order = {"subscriber": f"{receiver.server.url}/in", "ttl": 86_400, "options": options}
    return str(project.call("POST", f"/queues/{queue}/subscriptions", order)["subscription_id"])


def test_a_queue_is_subscribed_to_and_the_subscription_ended(
    console: Console, project: Project, receiver: Receiver
) -> None:
    console.go("#/subscriptions")
    expect(console.page.get_by_text("No subscriptions yet")).to_be_visible()
    console.button("Subscribe").click()
    dialog = console.page.get_by_role("dialog")
    dialog.get_by_label("Queue").fill("orders")
    dialog.get_by_role("textbox", name="Subscriber").fill(f"{receiver.server.url}/in")
    dialog.get_by_label("Options").fill('{"_retry_schedule": [60]}')
    dialog.get_by_role("button", name="Subscribe").click()
    console.page.get_by_role("link", name=f"{receiver.server.url}/in").click()
    expect(console.heading).to_have_text(f"{receiver.server.url}/in")
    console.button("End it").click()
    console.button("End the subscription").click()
    expect(console.page.get_by_text("Nobody is subscribed")).to_be_visible()
    assert project.call("GET", "/queues/orders/subscriptions")["subscriptions"] == []


def test_a_subscriber_that_is_refused_is_told_in_the_form(console: Console) -> None:
    console.expect_refusals(400)
    console.go("#/queues/orders/subscriptions")
    console.button("Subscribe").click()
    dialog = console.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Subscriber").fill("nothing")
    dialog.get_by_role("button", name="Subscribe").click()
    expect(dialog.get_by_role("alert")).to_contain_text("req-")


def test_the_ledger_shows_what_was_delivered(console: Console, project: Project, receiver: Receiver) -> None:
    id_ = subscribe(project, receiver)
    project.post("orders", 1)
    console.go(f"#/queues/orders/subscriptions/{id_}")
    expect(console.row("delivered")).to_contain_text("200")
    expect(console.page.get_by_text("delivering", exact=True)).to_be_visible()


def test_what_was_given_up_is_redriven(console: Console, project: Project, receiver: Receiver) -> None:
    receiver.status = 400
    id_ = subscribe(project, receiver, _retry_schedule=[])
    project.post("orders", "one", "two")
    console.go(f"#/queues/orders/subscriptions/{id_}")
    expect(console.row("given up")).to_have_count(2)
    expect(console.row("given up").first).to_contain_text("400")
    receiver.status = 200
    console.button("Redrive the message").first.click()
    expect(console.row("delivered")).to_have_count(1)
    console.button("Redrive all").click()
    expect(console.row("delivered")).to_have_count(2)


def test_a_test_shows_what_the_subscriber_answered_as_text(
    console: Console, project: Project, receiver: Receiver
) -> None:
    receiver.status = 403
    id_ = subscribe(project, receiver)
    console.go(f"#/queues/orders/subscriptions/{id_}")
    console.button("Send a test").click()
    outcome = console.page.get_by_role("region", name="Outcome of the test")
    expect(outcome).to_contain_text("not delivered")
    expect(outcome).to_contain_text("<b>so it is</b>")
    assert len(receiver.server.asked) == 1


def test_an_endpoint_that_fails_again_and_again_is_shown_as_left_alone(
    console: Console, project: Project, receiver: Receiver
) -> None:
    receiver.status = 503
    id_ = subscribe(project, receiver, _retry_schedule=[3_600])
    project.post("orders", *range(8))
    console.go(f"#/queues/orders/subscriptions/{id_}")
    expect(console.page.get_by_text("left alone")).to_be_visible()
    expect(console.row("retrying").first).to_contain_text("503")
