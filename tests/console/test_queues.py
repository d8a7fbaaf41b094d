"""Queues and their messages."""

import re

from playwright.sync_api import expect

from tests.console.browsing import Console, Project

LARGE = 12345678901234567890


def test_queues_show_how_full_they_are(console: Console, project: Project) -> None:
    project.post("orders", 1, 2, 3)
    project.call("POST", "/queues/orders/claims?limit=1", {"ttl": 300, "grace": 60})
    console.press("r")
    row = console.row("orders")
    expect(row.get_by_role("cell")).to_contain_text(["orders", "2", "1", "0", re.compile("now|ago")])
    expect(row.get_by_role("img", name="Depth of orders: 3 messages now")).to_be_visible()


def test_the_plot_grows_while_one_watches(console: Console, project: Project) -> None:
    project.post("orders", 1)
    line = console.page.locator("polyline")
    console.press("r")
    expect(line).to_have_attribute("points", re.compile(r"^\S+$"))
    project.post("orders", *range(19))
    console.press("r")
    expect(line).to_have_attribute("points", re.compile(r"^\S+ \S+$"))
    expect(console.row("orders")).to_contain_text("/min")


def test_an_empty_project_says_how_to_begin(console: Console, project: Project) -> None:
    expect(console.page.get_by_text("No queues yet")).to_be_visible()
    expect(console.page.locator("pre")).to_contain_text(f"X-Project-Id: {project.name}")


def test_a_queue_is_made_and_deleted(console: Console, project: Project) -> None:
    console.button("New queue").first.click()
    console.page.get_by_label("Name").fill("made-here")
    console.page.get_by_label("Let searches find its messages").check()
    console.button("Create").click()
    expect(console.heading).to_have_text("made-here")
    assert project.call("GET", "/queues/made-here")["_search"] is True
    console.page.get_by_role("link", name="Attributes").click()
    console.button("Delete the queue").click()
    console.page.get_by_role("dialog").get_by_role("button", name="Delete the queue").click()
    expect(console.page.get_by_text("No queues yet")).to_be_visible()


def test_a_refusal_shows_what_the_service_says_and_the_request(console: Console) -> None:
    console.expect_refusals(400)
    console.button("New queue").first.click()
    console.page.get_by_label("Name").fill("no spaces")
    console.button("Create").click()
    alert = console.page.get_by_role("dialog").get_by_role("alert")
    expect(alert).to_contain_text("req-")
    expect(alert).to_contain_text("name")


def test_a_service_that_does_not_answer_is_told_until_it_does_again(console: Console, project: Project) -> None:
    console.expect_absence()
    console.page.route("**/v2/queues*", lambda route: route.abort())
    console.press("r")
    alert = console.page.get_by_role("alert").filter(has_text="does not answer")
    expect(alert).to_be_visible()
    console.page.unroute("**/v2/queues*")
    console.press("r")
    expect(alert).to_have_count(0)


def test_many_queues_are_turned_over_and_found(console: Console, project: Project) -> None:
    for number in range(13):
        project.call("PUT", f"/queues/q{number:02}", {})
    console.press("r")
    expect(console.page.get_by_role("link", name="q09")).to_be_visible()
    console.button("Next").click()
    expect(console.page.get_by_role("link", name="q12")).to_be_visible()
    expect(console.button("Next")).to_be_disabled()
    console.button("Previous").click()
    expect(console.page.get_by_role("link", name="q00")).to_be_visible()
    console.press("/")
    console.type("q1")
    expect(console.page.locator("tbody tr")).to_have_count(3)
    console.page.keyboard.press("Control+A")
    console.type("nowhere")
    expect(console.page.get_by_text("No queue is called like")).to_be_visible()


def test_messages_are_looked_at_without_taking_them(console: Console, project: Project) -> None:
    [id_] = project.post("orders", {"number": LARGE, "share": 1.50})
    console.go("#/queues/orders")
    console.page.locator(".expand").click()
    expect(console.page.locator("#view .code pre")).to_have_text(f'{{\n  "number": {LARGE},\n  "share": 1.5\n}}')
    expect(console.page.locator(".detail")).to_contain_text(id_)
    assert project.call("GET", "/queues/orders/stats")["messages"]["free"] == 1


def test_a_body_is_shown_as_it_was_sent(console: Console, project: Project) -> None:
    project.call(
        "POST",
        "/queues/orders/messages",
        content=b'{"messages": [{"body": {"e": 1e400, "z": 1.10, "t": "  two\\n  lines"}}]}',
    )
    console.go("#/queues/orders")
    console.page.locator(".expand").click()
    expect(console.page.locator("#view .code pre")).to_contain_text('"e": 1e400')
    expect(console.page.locator("#view .code pre")).to_contain_text('"z": 1.10')


def test_a_message_is_posted_with_all_its_digits(console: Console, project: Project) -> None:
    console.go("#/queues/orders")
    console.button("Post a message").click()
    console.page.get_by_label("Body").fill(f'{{"number": {LARGE}}}')
    console.page.get_by_label("How many").fill("3")
    console.button("Post", exact=True).click()
    expect(console.page.locator(".expand")).to_have_count(3)
    assert project.bodies("orders") == [{"number": LARGE}] * 3


def test_what_is_no_json_is_posted_as_a_text(console: Console, project: Project) -> None:
    console.go("#/queues/orders")
    console.press("n")
    console.page.get_by_label("Body").fill("not {json")
    console.button("Post", exact=True).click()
    expect(console.page.locator(".expand")).to_have_count(1)
    assert project.bodies("orders") == ["not {json"]


def test_more_messages_follow_and_a_filter_narrows_them(console: Console, project: Project) -> None:
    project.post("orders", *(f"number {number}" for number in range(20)))
    project.post("orders", *(f"number {number}" for number in range(20, 25)))
    console.go("#/queues/orders")
    console.button("More").click()
    expect(console.page.locator(".expand")).to_have_count(20)
    console.button("More").click()
    expect(console.page.locator(".expand")).to_have_count(25)
    expect(console.button("More")).to_have_count(0)
    console.page.get_by_role("searchbox").fill("number 24")
    expect(console.page.locator(".expand")).to_have_count(1)


def test_a_message_is_deleted_only_after_a_question(console: Console, project: Project) -> None:
    project.post("orders", "first", "second")
    console.go("#/queues/orders")
    console.page.locator(".expand").first.click()
    console.button("Delete", exact=True).click()
    console.press("Escape")
    assert len(project.bodies("orders")) == 2
    console.button("Delete", exact=True).click()
    console.button("Delete the message").click()
    expect(console.page.locator(".expand")).to_have_count(1)
    assert project.bodies("orders") == ["second"]


def test_attributes_are_set_changed_and_removed(console: Console, project: Project) -> None:
    project.call("PUT", "/queues/orders", {"team": "shop"})
    console.go("#/queues/orders/attributes")
    console.button("Change team").click()
    console.page.get_by_label("Value").fill('["shop", 7]')
    console.button("Set", exact=True).click()
    expect(console.row("team")).to_contain_text("7")
    assert project.call("GET", "/queues/orders")["team"] == ["shop", 7]
    console.button("Set an attribute").click()
    console.page.get_by_role("textbox", name="Attribute").fill("_max_claim_count")
    console.page.get_by_label("Value").fill("5")
    console.button("Set", exact=True).click()
    expect(console.row("_max_claim_count")).to_contain_text("5")
    console.button("Remove team").click()
    expect(console.row("team")).to_have_count(0)
    assert project.call("GET", "/queues/orders")["_max_claim_count"] == 5


def test_all_messages_are_deleted_after_a_question(console: Console, project: Project) -> None:
    project.post("orders", 1, 2)
    console.go("#/queues/orders/attributes")
    console.button("Delete all messages").click()
    console.page.get_by_role("dialog").get_by_role("button", name="Delete all messages").click()
    expect(console.status).to_have_text("All messages deleted.")
    assert project.bodies("orders") == []


def test_a_time_stays_what_it_was_however_often_it_is_drawn(console: Console, project: Project) -> None:
    project.post("orders", 1)
    console.go("#/queues/orders")
    posted = console.page.locator("tbody time").first
    first = posted.get_attribute("datetime")
    console.page.locator(".expand").click()
    with console.page.expect_response("**/stats"):
        pass
    console.page.locator(".expand").click()
    assert posted.get_attribute("datetime") == first


def test_the_chief_button_stays_readable_under_the_mouse(console: Console) -> None:
    chief = console.button("New queue").first
    ground = chief.evaluate("(button) => getComputedStyle(button).backgroundColor")
    chief.hover()
    chief.evaluate("(button) => Promise.all(button.getAnimations().map((each) => each.finished))")
    expect(chief).to_have_css("background-color", str(ground))
