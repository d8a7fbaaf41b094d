"""Every view, full and empty, in light and dark: kept as a picture, and read by a checker of accessibility."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.sync_api import expect

from tests.answering import Answering, Said
from tests.console.browsing import Console, Project, faults_of
from tests.serving import ServerProcess

FULL: Final = (
    *("#/queues", "#/queues/orders", "#/queues/orders/tail", "#/queues/orders/claims"),
    *("#/queues/orders/subscriptions", "#/queues/orders/attributes"),
    *("#/subscriptions", "#/events", "#/events/types", "#/events/searches", "#/dead-letters", "#/service"),
)
AXE: Final = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def filled(project: Project, receiver: str) -> str:
    """Fill a project with something of everything, and return the id of a subscription."""
    project.call(
        "PUT",
        "/queues/orders",
        {"_search": True, "_max_claim_count": 1, "_dead_letter_queue": "orders-failed", "team": "shop"},
    )
    project.call("PUT", "/queues/orders-failed", {})
    project.call("PUT", "/queues/server-17", {"_conflate": True})
    for number in range(9):
        event = {
            "specversion": "1.0",
            "id": str(number),
            "source": f"/shop/{number % 3}",
            "type": ["order.paid", "order.sent"][number % 2],
        }
        project.post("orders", event | {"data": {"number": number, "amount": 12345678901234567890, "note": "ä" * 40}})
    project.post("server-17", {"state": "ACTIVE"})
    order = {"subscriber": f"{receiver}/hook", "ttl": 86_400, "options": {"_retry_schedule": [60]}}
    subscription = project.call("POST", "/queues/orders/subscriptions", order)["subscription_id"]
    project.call("PUT", "/searches/large-orders", {"type": "order.*", "q": "paid", "queue": "large-orders"})
    for body in ("unreadable", {"half": "done"}):
        project.post("orders", body)
    claim = project.call("POST", "/queues/orders/claims?limit=2", {"ttl": 300, "grace": 60})
    claim_path = claim["messages"][0]["href"].partition("claim_id=")[2]
    project.call("DELETE", f"/queues/orders/claims/{claim_path}")
    project.call("GET", "/queues/orders-failed/messages?echo=true&wait=20")
    project.call("POST", "/queues/orders/claims?limit=2", {"ttl": 300, "grace": 60})
    return str(subscription)


def look_at(console: Console, at: str, picture: Path) -> list[str]:
    """Go somewhere, wait until it is there, take a picture, and return what is wrong with it."""
    console.go(at)
    expect(console.page.locator("#view .loading")).to_have_count(0)
    expect(console.heading).to_be_visible()
    console.page.wait_for_function("() => document.getAnimations().length === 0")
    console.page.screenshot(path=picture, full_page=True)
    return accessible(console)


def accessible(console: Console) -> list[str]:
    """Return what the checker finds wrong with what is shown."""
    ask = "axe.run(document, { runOnly: rules, resultTypes: ['violations'] })"
    return faults_of(console.page.evaluate(f"async (rules) => {{ {AXE}; return {ask}; }}", RULES))


def name_of(at: str) -> str:
    return at.removeprefix("#/").replace("/", "-")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_view_is_pictured_and_accessible(
    theme: str, service: ServerProcess, project: Project, tab: Callable[..., Console], pictures: Path
) -> None:
    with Answering(lambda asked: Said(503, b"closed for today")) as receiver:
        subscription = filled(project, receiver.url)
        console = tab(service.url, color_scheme=theme, bypass_csp=False)
        console.expect_refusals(403)
        console.sign_in(project=project.name)
        faults: dict[str, list[str]] = {}
        for at in (*FULL, f"#/queues/orders/subscriptions/{subscription}"):
            found = look_at(console, at, pictures / f"{name_of(at).replace(subscription, 'one')}-{theme}.png")
            faults |= {at: found} if found else {}
    assert faults == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_empty_view_is_pictured_and_accessible(
    theme: str, service: ServerProcess, project: Project, tab: Callable[..., Console], pictures: Path
) -> None:
    console = tab(service.url, color_scheme=theme)
    console.open()
    console.page.screenshot(path=pictures / f"login-{theme}.png")
    faults = {"login": accessible(console)}
    console.sign_in(project=project.name)
    for at in FULL:
        if at == "#/queues/orders":
            project.call("PUT", "/queues/orders", {})
        faults[at] = look_at(console, at, pictures / f"empty-{name_of(at)}-{theme}.png")
    assert {at: found for at, found in faults.items() if found} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_busy_tail_and_a_failure_are_pictured_and_accessible(
    theme: Literal["light", "dark"], console: Console, project: Project, pictures: Path
) -> None:
    console.expect_absence()
    console.page.emulate_media(color_scheme=theme)
    console.go("#/queues/orders/tail")
    expect(console.page.get_by_text("Live", exact=True)).to_be_visible()
    for number in range(5):
        project.post("orders", {"server": f"web-{number}", "state": "ACTIVE"}, "x" * 400)
    expect(console.page.locator(".line")).to_have_count(10)
    console.page.locator(".lines summary").nth(1).click()
    console.page.screenshot(path=pictures / f"tail-{theme}.png")
    assert accessible(console) == []
    console.page.route("**/v2/**", lambda route: route.abort())
    console.go("#/queues/orders")
    expect(console.button("Try again")).to_be_visible()
    console.page.screenshot(path=pictures / f"failure-{theme}.png")
    assert accessible(console) == []


def test_small_screens_and_open_parts_are_accessible(console: Console, project: Project, pictures: Path) -> None:
    project.post("orders", {"deep": {"er": [1, 2, 3]}}, "x" * 5_000)
    console.page.set_viewport_size({"width": 420, "height": 800})
    console.go("#/queues/orders")
    for button in console.page.locator("[aria-expanded]").all():
        button.click()
    console.page.screenshot(path=pictures / "small.png", full_page=True)
    assert accessible(console) == []
    wide = console.page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0
    console.page.set_viewport_size({"width": 1_280, "height": 800})
    console.press("n")
    console.page.screenshot(path=pictures / "post.png")
    assert accessible(console) == []
    console.press("Escape", "?")
    console.page.screenshot(path=pictures / "keys.png")
    assert accessible(console) == []
