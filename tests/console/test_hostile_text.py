"""What tenants and subscribers send stays text, wherever it shows."""

import re
from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import expect

from tests.answering import Answering, Said
from tests.console.browsing import Console, Project
from tests.serving import ServerProcess

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script><svg onload=alert(3)>{{7*7}}${7*7}'
PLACES = (
    *("#/queues", "#/queues/orders", "#/queues/orders/attributes", "#/queues/orders/subscriptions", "#/subscriptions"),
    *("#/events", "#/events/types", "#/events/searches", "#/dead-letters"),
)


def fill(project: Project, receiver: str) -> str:
    project.call("PUT", "/queues/orders", {"_search": True, HOSTILE: HOSTILE})
    event = {
        "specversion": "1.0",
        "id": HOSTILE,
        "source": HOSTILE,
        "type": HOSTILE,
        "subject": HOSTILE,
        "data": HOSTILE,
    }
    order = {
        "subscriber": f"{receiver}/{quote(HOSTILE)}",
        "ttl": 86_400,
        "options": {"note": HOSTILE, "_retry_schedule": []},
    }
    id_ = project.call("POST", "/queues/orders/subscriptions", order)["subscription_id"]
    project.post("orders", HOSTILE, {HOSTILE: [HOSTILE]}, event)
    project.call("PUT", "/searches/hostile", {"q": HOSTILE.replace('"', ""), "queue": "found"})
    while not project.call("GET", "/events")["events"]:
        pass
    return str(id_)


def test_it_is_shown_and_never_run(service: ServerProcess, tab: Callable[..., Console]) -> None:
    with (
        Answering(lambda asked: Said(400, HOSTILE.encode())) as receiver,
        Project(service.url, "hostile-<img src=x onerror=alert(9)>") as project,
    ):
        id_ = fill(project, receiver.url)
        console = tab(service.url)
        console.sign_in(project=project.name)
        for at in (*PLACES, f"#/queues/orders/subscriptions/{id_}"):
            console.go(at)
            expect(console.page.locator("#view .loading")).to_have_count(0)
            closed = console.page.locator("#view [aria-expanded=false]")
            while closed.count():
                closed.first.click()
            expect(console.page.locator("#shell img")).to_have_count(1)
            expect(console.page.locator("#shell script, #view svg[onload]")).to_have_count(0)
        console.button("Send a test").click()
        expect(console.page.get_by_role("region", name="Outcome of the test")).to_contain_text(HOSTILE)
        console.go("#/queues/orders")
        console.page.locator(".expand").first.click()
        expect(console.page.locator("#view .code pre").first).to_have_text(HOSTILE)


def test_a_live_message_is_text_as_well(console: Console, project: Project) -> None:
    console.go("#/queues/orders/tail")
    expect(console.page.get_by_text("Live", exact=True)).to_be_visible()
    project.post("orders", HOSTILE)
    console.page.locator(".lines summary").click()
    expect(console.page.locator(".lines pre")).to_have_text(HOSTILE)
    expect(console.page.locator("#view img")).to_have_count(0)


def test_an_address_cannot_bring_markup_or_other_places(console: Console, project: Project) -> None:
    console.expect_refusals(400, 404)
    for at in (
        "#/queues/%3Cimg%20src=x%20onerror=alert(1)%3E",
        "#/queues/..%2F..%2Fmetrics",
        "#/queues/%E0%A4%A",
        "#/javascript:alert(1)",
    ):
        console.go(at)
        expect(console.heading).to_be_visible()
        expect(console.page.locator("#view img")).to_have_count(0)


def test_markup_could_not_run_even_if_it_were_written(console: Console) -> None:
    tried = console.page.evaluate(
        """() => {
          try {
            document.getElementById("view").innerHTML = "<b>x</b>";
            return "written";
          } catch (error) {
            return error.name;
          }
        }"""
    )
    assert tried == "TypeError"
    assert all(re.search("TrustedHTML|trusted", each, re.IGNORECASE) for each in console.complaints)
    console.complaints.clear()
