"""What is posted, as it is posted."""

import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.console.browsing import Console, Project
from tests.serving import ServerProcess

LARGE = 12345678901234567890


def listen(console: Console, queue: str = "orders") -> None:
    console.go(f"#/queues/{queue}/tail")
    expect(console.page.get_by_text("Live", exact=True)).to_be_visible()


def lines(console: Console) -> list[str]:
    return [text.partition("…")[2][4:] for text in console.page.locator(".lines summary").all_text_contents()]


def test_messages_show_as_they_come_and_stay_in_the_queue(console: Console, project: Project) -> None:
    listen(console)
    project.post("orders", {"number": LARGE}, "two")
    expect(console.page.locator(".line")).to_have_count(2)
    console.page.locator(".lines summary").last.click()
    expect(console.page.locator(".lines pre").last).to_contain_text(f'"number": {LARGE}')
    assert project.bodies("orders") == [{"number": LARGE}, "two"]


def test_a_pause_shows_nothing_and_loses_nothing(console: Console, project: Project) -> None:
    listen(console)
    console.button("Pause").click()
    project.post("orders", "one", "two")
    expect(console.page.get_by_text("2 wait to be shown")).to_be_visible()
    expect(console.page.locator(".line")).to_have_count(0)
    console.button("Go on").click()
    expect(console.page.locator(".line")).to_have_count(2)


def test_lines_are_filtered_and_cleared(console: Console, project: Project) -> None:
    listen(console)
    project.post("orders", "apple", "pear")
    expect(console.page.locator(".line")).to_have_count(2)
    console.page.get_by_role("searchbox").fill("pear")
    expect(console.page.locator(".line:visible")).to_have_count(1)
    project.post("orders", "another pear", "another apple")
    expect(console.page.locator(".line:visible")).to_have_count(2)
    console.button("Clear").click()
    expect(console.page.locator(".line")).to_have_count(0)


def test_the_tail_goes_on_after_a_restart_with_what_was_posted_meanwhile(
    tmp_path: Path, tab: Callable[..., Console]
) -> None:
    store = f"sqlite:///{tmp_path}/data"
    with ServerProcess(store) as first:
        console = tab(first.url)
        console.expect_absence()
        console.sign_in(project="restarted")
        listen(console)
        with Project(first.url, "restarted") as project:
            project.post("orders", "before")
        expect(console.page.locator(".line")).to_have_count(1)
        first.stop()
        expect(console.page.get_by_text("Trying again")).to_be_visible()
    # Posted before the tail is back, since the port it knows is taken only then.
    with ServerProcess(store) as between, Project(between.url, "restarted") as project:
        project.post("orders", "meanwhile")
        between.stop()
    with ServerProcess(store, "--listen", f"127.0.0.1:{first.port}") as second:
        with Project(second.url, "restarted") as project:
            project.post("orders", "after")
        expect(console.page.locator(".line")).to_have_count(3)
        assert lines(console) == ["after", "meanwhile", "before"]
        expect(console.page.get_by_text("Something is missing")).to_have_count(0)
        console.page.goto("about:blank")
        console.elsewhere.clear()


def test_what_was_missed_for_good_is_told(tmp_path: Path, tab: Callable[..., Console]) -> None:
    store = f"sqlite:///{tmp_path}/data"
    with ServerProcess(store) as first:
        console = tab(first.url)
        console.expect_absence()
        console.sign_in(project="restarted")
        listen(console)
        with Project(first.url, "restarted") as project:
            project.post("orders", "before")
        expect(console.page.locator(".line")).to_have_count(1)
        first.stop()
    with ServerProcess(store) as between, Project(between.url, "restarted") as project:
        project.post("orders", "meanwhile")
        project.call("POST", "/queues/orders/purge", {"resource_types": ["messages"]})
        between.stop()
    with ServerProcess(store, "--listen", f"127.0.0.1:{first.port}"):
        expect(console.page.get_by_text("Something is missing")).to_be_visible()
        console.page.goto("about:blank")
        console.elsewhere.clear()


def test_five_hundred_messages_do_not_freeze_the_page(console: Console, project: Project) -> None:
    listen(console)
    console.page.evaluate(
        """() => {
          window.longest = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) window.longest = Math.max(window.longest, entry.duration);
          }).observe({ type: "longtask" });
        }"""
    )
    for start in range(0, 600, 20):
        project.post("orders", *({"number": number, "text": "x" * 1_000} for number in range(start, start + 20)))
    expect(console.page.get_by_text("600 heard")).to_be_visible()
    expect(console.page.locator(".line")).to_have_count(500)
    began_s = time.monotonic()
    console.page.get_by_role("searchbox").fill('"number":599')
    expect(console.page.locator(".line:visible")).to_have_count(1)
    assert time.monotonic() - began_s < 10
    assert console.page.evaluate("() => window.longest") < 1_000


def test_a_queue_that_keeps_nothing_is_listened_to_as_well(console: Console, project: Project) -> None:
    project.call("PUT", "/queues/signals", {"_persistence": "none"})
    listen(console, "signals")
    project.post("signals", "now")
    expect(console.page.get_by_role("log").get_by_text("now")).to_be_visible()
