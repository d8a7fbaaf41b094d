"""Pools and flavors: the admin API, where queues come to be, and how they move."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sukkal.pools.definitions import masked
from tests.api.calling import PATCH_TYPE, Service, refused
from tests.engines.postgresql_server import PostgreSQL

ADMIN = {"x-roles": "admin"}

UriOf = Callable[[str], str]


@pytest.fixture(scope="module")
def databases_of_pools() -> list[str]:
    """Return the URLs of the databases that there are, which are emptied again and again."""
    return []


@pytest.fixture
def uri_of(engine: str, request: pytest.FixtureRequest, databases_of_pools: list[str], tmp_path: Path) -> UriOf:
    """Return a function that returns a place for a pool, which nodes can share if they share the store."""
    given: dict[str, str] = {}

    def uri_of(name: str) -> str:
        if engine != "postgresql":
            return f"sqlite:///{tmp_path}/{name}"
        if name not in given:
            server: PostgreSQL = request.getfixturevalue("postgresql")
            given[name] = server.nth_empty(databases_of_pools, len(given))
        return given[name]

    return uri_of


@pytest.fixture
def admin(service: Service) -> Callable[..., Any]:
    """Return a function that makes an administrator's request."""

    def ask(method: str, path: str, document: Any = None) -> Any:
        given = {} if document is None else {"json": document}
        return service.call(method, f"/v2{path}", headers=ADMIN, **given)

    return ask


@pytest.fixture
def pools(service: Service, admin: Callable[..., Any], uri_of: UriOf) -> list[str]:
    """Make two pools."""
    for name in ("one", "two"):
        made = admin("PUT", f"/pools/{name}", {"uri": uri_of(name), "weight": 100})
        assert made.status_code == 201, made.text
    # Where there are other nodes, pools take queues when all know them.
    service.clock.advance(30_000)
    return ["one", "two"]


def post(service: Service, queue: str, *bodies: Any) -> None:
    made = service.call("POST", f"/v2/queues/{queue}/messages", json={"messages": [{"body": each} for each in bodies]})
    assert made.status_code == 201, made.text


def bodies(service: Service, queue: str) -> list[Any]:
    listed = service.get(f"/v2/queues/{queue}/messages?echo=true&include_claimed=true").json()
    return [each["body"] for each in listed["messages"]]


def queues_of(admin: Callable[..., Any], name: str) -> int:
    count: int = admin("GET", f"/pools/{name}?detailed=true").json()["queues"]
    return count


def test_a_pool_is_made_shown_changed_and_deleted(admin: Callable[..., Any], uri_of: UriOf) -> None:
    uri = uri_of("one")
    document = {"uri": uri, "weight": 100, "options": {"a": 1}}
    made = admin("PUT", "/pools/one", document)
    assert (made.status_code, made.headers["location"]) == (201, "/v2/pools/one")
    shown = {"name": "one", "href": "/v2/pools/one", "uri": masked(uri), "weight": 100, "flavor": None}
    shown |= {"status": "up", "draining": False}
    assert admin("GET", "/pools/one").json() == shown
    assert admin("GET", "/pools/one?detailed=true").json() == shown | {"options": {"a": 1}, "queues": 0}
    assert admin("PATCH", "/pools/one", {"weight": 5}).json() == shown | {"weight": 5}
    assert admin("PUT", "/pools/one", document | {"weight": 7}).status_code == 201
    assert admin("GET", "/pools").json()["pools"] == [shown | {"weight": 7}]
    assert admin("DELETE", "/pools/one").status_code == 204
    refused(admin("GET", "/pools/one"), 404, "Pool one does not exist")
    assert admin("DELETE", "/pools/one").status_code == 204


def test_pools_are_listed_page_by_page(admin: Callable[..., Any], uri_of: UriOf) -> None:
    for name in "cab":
        admin("PUT", f"/pools/{name}", {"uri": uri_of(name), "weight": 1})
    first = admin("GET", "/pools?limit=2").json()
    assert [each["name"] for each in first["pools"]] == ["a", "b"]
    second = admin("GET", first["links"][0]["href"].removeprefix("/v2")).json()
    assert [each["name"] for each in second["pools"]] == ["c"]
    refused(admin("GET", "/pools?limit=0"), 400, "Limit must be at least 1")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "`uri`"),
        ({"uri": "memory://"}, "weight"),
        ({"uri": "memory://", "weight": -1}, "weight"),
        ({"uri": "memory://", "weight": 2**32}, "weight"),
        ({"uri": "memory://", "weight": 1, "colour": "red"}, "colour"),
        ({"uri": "mongodb://somewhere", "weight": 1}, "`uri`"),
    ],
)
def test_a_pool_that_cannot_be_is_refused(admin: Callable[..., Any], document: Any, words: str) -> None:
    refused(admin("PUT", "/pools/p", document), 400, words)
    assert admin("GET", "/pools").json()["pools"] == []


def test_a_pool_that_not_all_nodes_can_use_or_that_cannot_be_opened_is_refused(
    admin: Callable[..., Any], engine: str
) -> None:
    words = "All nodes of this store" if engine == "postgresql" else "cannot connect to sqlite:////dev/null/x"
    refused(admin("PUT", "/pools/p", {"uri": "sqlite:////dev/null/x", "weight": 1}), 400, words)
    assert admin("GET", "/pools").json()["pools"] == []


def test_a_pool_keeps_its_uri_and_no_other_has_the_same(admin: Callable[..., Any], uri_of: UriOf) -> None:
    uri = uri_of("one")
    admin("PUT", "/pools/one", {"uri": uri, "weight": 1})
    refused(admin("PUT", "/pools/two", {"uri": uri, "weight": 1}), 400, "another pool")
    refused(admin("PATCH", "/pools/one", {"uri": "memory://"}), 400, "`uri`")
    refused(admin("PATCH", "/pools/one", {}), 400, "One of `uri`, `weight`, `flavor`, or `options`")
    refused(admin("PATCH", "/pools/none", {"weight": 1}), 404, "Pool none")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/pools"),
        ("GET", "/pools/one"),
        ("PUT", "/pools/one"),
        ("PATCH", "/pools/one"),
        ("DELETE", "/pools/one"),
        ("POST", "/pools/one/drain"),
        ("DELETE", "/pools/one/drain"),
        ("PUT", "/flavors/f"),
        ("PATCH", "/flavors/f"),
        ("DELETE", "/flavors/f"),
    ],
)
def test_pools_are_for_administrators(service: Service, method: str, path: str) -> None:
    refused(service.call(method, f"/v2{path}", json={}), 403, "not authorized", title="Not authorized")


def test_flavors_are_made_by_administrators_and_shown_to_all(
    service: Service, admin: Callable[..., Any], pools: list[str]
) -> None:
    assert admin("PUT", "/flavors/fast", {"pool_list": ["two", "one"]}).status_code == 201
    shown = {"name": "fast", "href": "/v2/flavors/fast", "pool_list": ["one", "two"]}
    listed = service.get("/v2/flavors").json()
    assert listed["flavors"] == [shown]
    assert service.get("/v2/flavors/fast").json() == shown | {
        "capabilities": ["FIFO", "CLAIMS", "AOD", "HIGH_THROUGHPUT"]
    }
    assert admin("PATCH", "/flavors/fast", {"pool_list": ["one"]}).json()["pool_list"] == ["one"]
    admin("PATCH", "/pools/two", {"flavor": "fast"})
    assert service.get("/v2/flavors/fast").json()["pool_list"] == ["one", "two"]
    assert admin("DELETE", "/flavors/fast").status_code == 204
    refused(service.get("/v2/flavors/fast"), 404, "Flavor fast does not exist")


@pytest.mark.parametrize("document", [{}, {"pool_list": []}, {"pool_list": ["nope"]}, {"pool_list": "one"}])
def test_a_flavor_that_cannot_be_is_refused(admin: Callable[..., Any], document: Any) -> None:
    refused(admin("PUT", "/flavors/f", document), 400, "pool")


def test_a_queue_with_a_flavor_is_in_one_of_its_pools(
    service: Service, admin: Callable[..., Any], pools: list[str]
) -> None:
    admin("PUT", "/flavors/second", {"pool_list": ["two"]})
    for number in range(8):
        made = service.call("PUT", f"/v2/queues/q{number}", json={"_flavor": "second"})
        assert made.status_code == 201
        post(service, f"q{number}", number)
    assert (queues_of(admin, "one"), queues_of(admin, "two")) == (0, 8)
    assert service.get("/v2/queues/q3").json()["_flavor"] == "second"
    refused(service.call("PUT", "/v2/queues/q", json={"_flavor": "nope"}), 400, "Flavor nope does not exist")
    change = [{"op": "replace", "path": "/metadata/_flavor", "value": "other"}]
    changed = service.call("PATCH", "/v2/queues/q1", json=change, headers={"content-type": PATCH_TYPE})
    refused(changed, 400, "cannot be changed")


def test_queues_are_spread_by_weight_and_listed_together(
    service: Service, admin: Callable[..., Any], pools: list[str]
) -> None:
    admin("PATCH", "/pools/two", {"weight": 0})
    for number in range(5):
        post(service, f"a{number}", number)
    admin("PATCH", "/pools/two", {"weight": 1})
    admin("PATCH", "/pools/one", {"weight": 0})
    for number in range(5):
        post(service, f"b{number}", number)
    assert (queues_of(admin, "one"), queues_of(admin, "two")) == (5, 5)
    listed = service.get("/v2/queues?limit=20&with_count=true").json()
    assert [each["name"] for each in listed["queues"]] == [f"{kind}{number}" for kind in "ab" for number in range(5)]
    assert listed["count"] == 10
    assert bodies(service, "a3") == bodies(service, "b3") == [3]


def test_queues_from_before_the_first_pool_stay_where_they_are(
    service: Service, admin: Callable[..., Any], uri_of: UriOf
) -> None:
    post(service, "old", 1)
    admin("PUT", "/pools/one", {"uri": uri_of("one"), "weight": 1})
    service.clock.advance(30_000)
    post(service, "old", 2)
    post(service, "new", 3)
    assert (bodies(service, "old"), bodies(service, "new")) == ([1, 2], [3])
    assert queues_of(admin, "one") == 1


def test_a_pool_with_queues_is_drained_before_it_is_deleted(
    service: Service, admin: Callable[..., Any], pools: list[str]
) -> None:
    admin("PATCH", "/pools/two", {"weight": 0})
    post(service, "q", 1, 2)
    subscribed = service.call(
        "POST", "/v2/queues/q/subscriptions", json={"subscriber": "http://h.example.org/", "ttl": 600}
    )
    claimed = service.call("POST", "/v2/queues/q/claims?limit=1", json={"ttl": 300}).json()["messages"][0]
    refused(admin("DELETE", "/pools/one"), 403, "Drain it first", title="Not authorized")
    admin("PATCH", "/pools/two", {"weight": 1})
    drained = admin("POST", "/pools/one/drain")
    assert (drained.status_code, drained.json()["draining"], drained.json()["queues"]) == (202, True, 1)
    service.run(service.app.drains.round())
    assert (queues_of(admin, "one"), queues_of(admin, "two")) == (0, 1)
    assert bodies(service, "q") == [1, 2]
    assert service.call("DELETE", claimed["href"]).status_code == 204
    assert bodies(service, "q") == [2]
    assert (
        service.get("/v2/queues/q/subscriptions").json()["subscriptions"][0]["id"]
        == subscribed.json()["subscription_id"]
    )
    assert admin("DELETE", "/pools/one").status_code == 204


def test_draining_can_be_ended(service: Service, admin: Callable[..., Any], pools: list[str]) -> None:
    admin("PATCH", "/pools/two", {"weight": 0})
    post(service, "q", 1)
    admin("POST", "/pools/one/drain")
    assert admin("DELETE", "/pools/one/drain").status_code == 204
    assert service.run(service.app.drains.round()) == 0
    assert queues_of(admin, "one") == 1


def test_a_pool_that_is_down_hurts_only_its_queues(
    service: Service, admin: Callable[..., Any], pools: list[str]
) -> None:
    for name, queue in (("one", "a"), ("two", "b")):
        admin("PUT", f"/flavors/{name}", {"pool_list": [name]})
        service.call("PUT", f"/v2/queues/{queue}", json={"_flavor": name, "note": queue})
        post(service, queue, 1)
    service.app.services.pools._engine.members.by_name()["two"]._fails("the server is not there")
    answer = service.run(service.request("POST", "/v2/queues/b/messages", json={"messages": [{"body": 1}]}))
    refused(answer, 503, "does not answer", title="Service temporarily unavailable")
    assert "two" not in answer.text
    assert answer.headers["retry-after"]
    post(service, "a", 2)
    assert bodies(service, "a") == [1, 2]
    listed = service.get("/v2/queues?detailed=true").json()["queues"]
    assert [(each["name"], each["metadata"].get("note")) for each in listed] == [("a", "a"), ("b", None)]
    for _ in range(4):
        assert service.call("PUT", f"/v2/queues/new{_}").status_code == 201
    service.run(service.app.sweeper.sweep())
    states = [(each["status"], each.get("reason")) for each in admin("GET", "/pools").json()["pools"]]
    assert states == [("up", None), ("down", "the server is not there")]
    service.run(service.app.services.pools._engine.refresh())
    post(service, "b", 2)
    assert bodies(service, "b") == [1, 2]


def test_health_tells_which_pools_answer(service: Service, admin: Callable[..., Any], pools: list[str]) -> None:
    service.app.services.pools._engine.members.by_name()["two"].down = True
    found = admin("GET", "/health").json()
    assert found["pools"] == {"one": {"storage_reachable": True}, "two": {"storage_reachable": False}}
    assert found["storage_reachable"] is True


def test_a_queue_that_was_deleted_is_made_again_with_another_flavor(
    service: Service, admin: Callable[..., Any], pools: list[str]
) -> None:
    for name in pools:
        admin("PUT", f"/flavors/{name}", {"pool_list": [name]})
    service.call("PUT", "/v2/queues/q", json={"_flavor": "one"})
    service.call("DELETE", "/v2/queues/q")
    again = service.run(service.request("PUT", "/v2/queues/q", json={"_flavor": "two"}))
    refused(again, 503, "Please try again in a few seconds", title="Service temporarily unavailable")
    service.run(service.app.drains.round())
    assert service.call("PUT", "/v2/queues/q", json={"_flavor": "two"}).status_code == 201
    post(service, "q", 1)
    assert bodies(service, "q") == [1]
    assert (queues_of(admin, "one"), queues_of(admin, "two")) == (0, 1)


def test_a_deleted_queue_is_forgotten_after_a_time(
    service: Service, admin: Callable[..., Any], pools: list[str]
) -> None:
    engine = service.app.services.pools._engine
    for name in ("gone", "again"):
        post(service, name, 1)
        service.call("DELETE", f"/v2/queues/{name}")
    service.call("POST", "/v2/queues/again/messages", json={"messages": [{"body": 2, "ttl": 7_200}]})
    service.clock.advance(3_600_000)
    service.run(engine.tidy(limit=10))
    assert bodies(service, "again") == [2]
    assert sum(queues_of(admin, name) for name in pools) == 1
