"""Signing in and out."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.console.browsing import Console, Project
from tests.console.conftest import Keys
from tests.serving import ServerProcess


@pytest.fixture
def stranger(guarded: ServerProcess, tab: Callable[..., Console]) -> Console:
    """Return the console of a service that asks for a key, at the door."""
    opened = tab(guarded.url)
    opened.open()
    return opened


def test_a_key_opens_its_project(stranger: Console, keys: Keys, guarded: ServerProcess) -> None:
    key = keys.create("opened", "member")
    with Project(guarded.url, "opened", token=key) as project:
        project.post("mine", "hello")
    stranger.sign_in(token=key)
    expect(stranger.page.get_by_role("link", name="mine", exact=True)).to_be_visible()


def test_a_key_lets_the_tail_listen(stranger: Console, keys: Keys, guarded: ServerProcess) -> None:
    key = keys.create("listening", "member")
    stranger.sign_in(token=key)
    stranger.go("#/queues/mine/tail")
    expect(stranger.page.get_by_text("Live", exact=True)).to_be_visible()
    with Project(guarded.url, "listening", token=key) as project:
        project.post("mine", "hello")
    expect(stranger.page.get_by_role("log").get_by_text("hello")).to_be_visible()


def test_a_wrong_key_is_refused_with_the_reason_and_the_request(stranger: Console) -> None:
    stranger.expect_refusals(401)
    stranger.page.get_by_label("Token or API key").fill("sukkal_wrong")
    stranger.press("Enter")
    alert = stranger.page.get_by_role("alert").filter(has_text="does not let you in")
    expect(alert).to_contain_text("req-")
    expect(stranger.page.get_by_label("Token or API key")).to_be_focused()


def test_nothing_typed_is_asked_for(stranger: Console) -> None:
    stranger.button("Sign in").click()
    expect(stranger.page.get_by_text("Who are you?")).to_be_visible()


def test_who_signs_in_comes_to_where_the_address_leads(stranger: Console, keys: Keys) -> None:
    stranger.sign_in(token=keys.create("deep", "member"), at="#/dead-letters")
    expect(stranger.heading).to_have_text("Dead letters")


def test_a_reload_keeps_who_is_signed_in_and_another_tab_does_not_know_it(
    stranger: Console, keys: Keys, guarded: ServerProcess, tab: Callable[..., Console]
) -> None:
    stranger.sign_in(token=keys.create("kept", "member"))
    stranger.page.reload()
    expect(stranger.heading).to_have_text("Queues")
    other = tab(guarded.url)
    other.open("#/queues")
    expect(other.button("Sign in")).to_be_visible()


def test_signing_out_leaves_nothing_behind(stranger: Console, keys: Keys) -> None:
    stranger.sign_in(token=keys.create("leaving", "member"))
    stranger.button("Sign out").click()
    expect(stranger.button("Sign in")).to_be_visible()
    assert stranger.page.evaluate("() => sessionStorage.length") == 0
    assert "sukkal_" not in str(stranger.page.evaluate("() => JSON.stringify({ ...localStorage })"))


def test_the_key_stands_in_no_address(stranger: Console, keys: Keys) -> None:
    asked: list[str] = []
    stranger.page.on("request", lambda request: asked.append(request.url))
    stranger.page.on("websocket", lambda socket: asked.append(socket.url))
    key = keys.create("secret", "member")
    stranger.sign_in(token=key)
    stranger.go("#/queues/mine/tail")
    expect(stranger.page.get_by_text("Live", exact=True)).to_be_visible()
    assert any(url.startswith("ws") for url in asked)
    assert not [url for url in asked if key in url]
    assert key not in stranger.page.url
    assert key not in stranger.page.content()


def test_who_is_not_known_any_more_comes_back_to_the_door(stranger: Console, keys: Keys) -> None:
    stranger.expect_refusals(401)
    key = keys.create("revoked", "member")
    stranger.sign_in(token=key)
    keys.revoke(key)
    expect(stranger.page.get_by_text("does not let you in")).to_be_visible()
