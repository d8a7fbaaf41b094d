"""How the service is, for its users and for its admins."""

import json
from collections.abc import Callable

from playwright.sync_api import Route, expect

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


def test_others_are_told_that_it_is_for_admins(console: Console) -> None:
    console.expect_refusals(403)
    console.press("g", "h")
    console.button("Check the health").click()
    expect(console.page.get_by_text("Only for admins")).to_be_visible()


def test_pools_show_where_the_service_has_them(guarded: ServerProcess, keys: Keys, tab: Callable[..., Console]) -> None:
    def described(route: Route) -> None:
        route.fulfill(body=json.dumps({"paths": {"/v2/pools": {}}}))

    def listed(route: Route) -> None:
        pool = {"name": "east", "weight": 3, "uri": "postgresql://db.example.org/sukkal", "flavor": "fast"}
        route.fulfill(body=json.dumps({"pools": [pool]}))

    console = tab(guarded.url)
    console.page.route("**/openapi.json", described)
    console.page.route("**/v2/pools", listed)
    console.sign_in(token=keys.create("admins", "admin"), at="#/service")
    console.button("Check the health").click()
    expect(console.row("east")).to_contain_text("fast")
