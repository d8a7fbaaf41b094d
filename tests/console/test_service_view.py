"""How the service is, for its users and for its admins."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.console.browsing import Console, Project
from tests.console.conftest import Keys
from tests.serving import ServerProcess


def test_the_project_sees_what_it_keeps(console: Console, project: Project) -> None:
    project.post("orders", 1, 2)
    console.press("g", "h")
    expect(console.row("messages")).to_contain_text("2")


def test_an_admin_sees_the_health(guarded: ServerProcess, keys: Keys, tab: Callable[..., Console]) -> None:
    console = tab(guarded.url)
    console.sign_in(token=keys.create("admins", "admin"), at="#/service")
    console.button("Check the health").click()
    expect(console.page.get_by_text("everything works", exact=True)).to_be_visible()
    expect(console.row("claim messages")).to_contain_text("works")


def test_where_no_token_is_asked_for_everybody_sees_the_health(console: Console) -> None:
    console.press("g", "h")
    console.button("Check the health").click()
    expect(console.page.get_by_text("everything works", exact=True)).to_be_visible()


def test_others_are_told_that_it_is_for_admins(guarded: ServerProcess, keys: Keys, tab: Callable[..., Console]) -> None:
    console = tab(guarded.url)
    console.expect_refusals(403)
    console.sign_in(token=keys.create("members", "member"), at="#/service")
    console.button("Check the health").click()
    expect(console.page.get_by_text("Only for admins")).to_be_visible()


def test_an_admin_sees_the_pools_and_what_they_are_at(keys: Keys, tmp_path: Path, tab: Callable[..., Console]) -> None:
    admin = keys.create("admins", "admin")
    store = f"sqlite:///{tmp_path / 'store'}"
    with ServerProcess(store, "--auth", "keys", "--keys-file", str(keys.file)) as server:
        with Project(server.url, "admins", token=admin) as project:
            for name, weight in (("east", 3), ("west", 5)):
                project.call("PUT", f"/pools/{name}", {"uri": f"sqlite:///{tmp_path / name}", "weight": weight})
            project.call("PUT", "/flavors/fast", {"pool_list": ["east"]})
            project.call("POST", "/pools/west/drain")
        console = tab(server.url)
        console.sign_in(token=admin, at="#/service")
        console.button("Check the health").click()
        expect(console.row("east")).to_contain_text("up")
        expect(console.row("east")).to_contain_text(f"sqlite:///{tmp_path / 'east'}")
        expect(console.row("west")).to_contain_text("draining")
