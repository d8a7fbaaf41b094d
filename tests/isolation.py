"""Whether one project can tell, by any operation, that another one has something: tried for the whole table.

A stranger does each operation with the names and ids of an owner, and again with names and ids that nobody has. The two
answers must be the same, and the owner must find everything as it was.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol

import httpx

from sukkal.transports.http.routing import Route, routes

__all__ = ["ROUTES", "Listener", "Project", "faults", "overheard", "variants"]

_PATCH: Final = "application/openstack-messaging-v2.0-json-patch"
_QUEUE: Final = "owned-queue"
_HOOK: Final = "http://hooks.example.org/hook"
_NOBODYS: Final = "nobodys-queue"
_SEARCH: Final = "owned-search"
_POOL: Final = "some-pool"  # Pools are of nobody.
_AGES: Final = re.compile(r'"(age|claim_count)": ?\d+')

ROUTES: Final = routes(with_v1_1=True)


class Variant(NamedTuple):
    """One way to ask for an operation: what is appended to its path, and its body."""

    query: str = ""
    document: Any = None
    headers: Mapping[str, str] = {}


VARIANTS: Final[Mapping[str, list[Variant]]] = {
    "queues.list": [Variant(), Variant("?detailed=true&with_count=true&limit=20"), Variant("?name=owned")],
    "queues.create": [Variant(document={"taken": True})],
    "queues.update": [
        Variant(document=[{"op": "add", "path": "/metadata/taken", "value": True}], headers={"content-type": _PATCH})
    ],
    "queues.purge": [Variant(document={"resource_types": ["messages", "subscriptions"]})],
    "messages.post": [Variant(document={"messages": [{"body": "of a stranger"}]})],
    "messages.post_raw": [Variant(document="of a stranger")],
    "messages.ingest": [Variant(document="of a stranger")],
    "messages.call": [Variant("?timeout=1", document={"body": "of a stranger"})],
    "messages.list": [
        Variant("?echo=true&include_claimed=true&include_delayed=true"),
        Variant("?ids={message_id}"),
        Variant("?marker={message_id}"),
    ],
    "messages.get": [Variant("?detailed=true")],
    "messages.delete_many": [Variant("?ids={message_id}"), Variant("?pop=5")],
    "messages.delete": [Variant(), Variant("?claim_id={claim_id}")],
    "claims.create": [Variant(document={"ttl": 60})],
    "claims.update": [Variant(document={"ttl": 60})],
    "claims.release": [Variant(document={})],
    "signed_urls.create": [Variant(document={"methods": ["GET"], "expires": "2100-01-01T00:00:00"})],
    "subscriptions.create": [Variant(document={"subscriber": _HOOK, "ttl": 600})],
    "subscriptions.update": [Variant(document={"ttl": 6_000})],
    "subscriptions.confirm": [Variant(document={"confirmed": True})],
    "event_listeners.create": [Variant(document={"task": "t", "url": _HOOK})],
    "deliveries.redrive": [Variant(document={})],
    "events.search": [Variant(), Variant("?q=owner&facets=type,source,queue"), Variant("?queue={queue_name}")],
    "resources.search": [Variant("?deleted=true&facets=resource_type")],
    "searches.create": [Variant(document={"q": "word", "queue": "taken"})],
    "limits.update": [Variant(document={"messages": 0})],
    "pools.create": [Variant(document={"uri": "memory://", "weight": 1})],
    "pools.update": [Variant(document={"weight": 1})],
    "flavors.create": [Variant(document={"pool_list": ["taken"]})],
    "flavors.update": [Variant(document={"pool_list": ["taken"]})],
}
"""How to ask for the operations that want more than their path; the others have one plain variant."""


def variants(route: Route) -> list[Variant]:
    """Return the ways to ask for a route's operation."""
    return VARIANTS.get(route.operation.name, [Variant()])


class Project:
    """Somebody who makes requests: a function from a method, a path, headers and a document to an answer."""

    def __init__(self, name: str, ask: Callable[[str, str, Mapping[str, str], Any], httpx.Response]) -> None:
        self.name = name
        self._ask = ask

    def ask(self, method: str, path: str, document: Any = None, **headers: str) -> httpx.Response:
        """Make a request."""
        return self._ask(method, path, {name.replace("_", "-"): value for name, value in headers.items()}, document)

    def see(self, path: str) -> str:
        """Return what stands at a path."""
        response = self.ask("GET", path)
        return f"{path} {response.status_code} {response.text}"


def _furnish(owner: Project) -> dict[str, str]:
    """Make one of everything and return the parameters that name it."""
    for kind in ("queues", "topics"):
        assert owner.ask("PUT", f"/v2/{kind}/{_QUEUE}", {"mine": kind, "_search": True}).status_code == 201
        messages = {"messages": [{"body": "of the owner", "ttl": 3_600} for _ in range(3)]}
        posted = owner.ask("POST", f"/v2/{kind}/{_QUEUE}/messages", messages)
        assert posted.status_code == 201
    claimed = owner.ask("POST", f"/v2/queues/{_QUEUE}/claims?limit=1", {"ttl": 3_600})
    assert claimed.status_code == 201
    shared = owner.ask("POST", f"/v2/queues/{_QUEUE}/share", {"expires": "2100-01-01T00:00:00"})
    saved = owner.ask("PUT", f"/v2/searches/{_SEARCH}", {"q": "nothing", "queue": "found"})
    assert saved.status_code == 201
    _await_index(owner, 6)
    # After the posts, so that nothing is to be delivered.
    subscribed = owner.ask("POST", f"/v2/queues/{_QUEUE}/subscriptions", {"subscriber": _HOOK, "ttl": 3_600})
    listening = owner.ask("POST", "/v2/listeners", {"task": "t", "url": _HOOK, "queue": _QUEUE, "ttl": 3_600})
    return {
        "queue_name": _QUEUE,
        "message_id": claimed.json()["messages"][0]["id"],
        "claim_id": claimed.headers["location"].rpartition("/")[2],
        "signed_url_id": shared.json()["id"],
        "subscription_id": subscribed.json()["subscription_id"],
        "listener_id": listening.json()["id"],
        "search_name": _SEARCH,
        "pool_name": _POOL,
        "flavor_name": "some-flavor",
        "project_id": owner.name,
    }


def _await_index(owner: Project, count: int) -> None:
    """Ask until so many events have come into the index."""
    for _ in range(10_000):
        if len(owner.ask("GET", "/v2/events").json()["events"]) == count:
            return
    raise AssertionError("The index lacks events.")


_NOTHING: Final = {
    "queue_name": _NOBODYS,
    "message_id": "01a1fd0d-2866-7000-871e-13779d1a50dc",
    "claim_id": "01a1fd0d-2866-7000-871e-13779d1a50dd",
    "signed_url_id": "0" * 32,
    "subscription_id": "01a1fd0d-2866-7000-871e-13779d1a50de",
    "listener_id": f"queue~{_NOBODYS}~01a1fd0d-2866-7000-871e-13779d1a50df",
    "search_name": "nobodys-search",
    "pool_name": "other-pool",
    "flavor_name": "other-flavor",
    "project_id": "nobody",
}


def _view(owner: Project, named: Mapping[str, str]) -> str:
    """Return everything that the owner can see, but for how old it is."""
    seen = [owner.see("/v2/queues?detailed=true&with_count=true"), owner.see("/v2/topics?detailed=true")]
    for kind in ("queues", "topics"):
        base = f"/v2/{kind}/{_QUEUE}"
        seen += [owner.see(base), owner.see(f"{base}/stats")]
        seen.append(owner.see(f"{base}/messages?echo=true&include_claimed=true&include_delayed=true&detailed=true"))
    base = f"/v2/queues/{_QUEUE}"
    seen += [owner.see(f"{base}/claims"), owner.see(f"{base}/claims/{named['claim_id']}"), owner.see(f"{base}/share")]
    seen.append(owner.see(f"{base}/subscriptions"))
    seen += [owner.see(f"/v2/{each}") for each in ("events?facets=type", "resources", "events/types", "searches")]
    return _AGES.sub("", "\n".join(seen))


def _answer(stranger: Project, route: Route, variant: Variant, named: Mapping[str, str]) -> tuple[Any, ...]:
    """Return a stranger's answer, with placeholders for what was named."""
    path = (route.path + variant.query).format(**named)
    response = stranger._ask(route.operation.method, path, variant.headers, variant.document)
    text = f"{response.headers.get('location', '')} {response.text}"
    for name, value in named.items():
        text = text.replace(value, name)
    # Ids that are made on the way, and signatures, differ from one request to the next.
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32,64}", "ID", text)
    text = re.sub(r"\d{13}-\d+", "POSITION", text)
    return response.status_code, _AGES.sub("", text)


def faults(owner: Project, stranger: Project, served: list[Route] = ROUTES) -> Iterator[str]:
    """Yield what a stranger could tell or change. The owner's project must be empty at first, and is left full."""
    named = _furnish(owner)
    before = _view(owner, named)
    for route in served:
        for variant in variants(route):
            what = f"{route.operation.method} {route.path}{variant.query}"
            theirs = _answer(stranger, route, variant, named)
            if "of the owner" in str(theirs) or "mine" in str(theirs):
                yield f"{what} shows what is the owner's: {theirs}"
            _tidy(stranger)
            nothing = _answer(stranger, route, variant, _NOTHING)
            _tidy(stranger)
            if theirs != nothing:
                yield f"{what} tells {theirs} from {nothing}"
            if (after := _view(owner, named)) != before:
                yield f"{what} changed {before} to {after}"
                before = after


class Listener(Protocol):
    """Somebody who listens to a queue; ``answer`` is what it was told when it came."""

    answer: Mapping[str, Any]

    def hear(self, last: str) -> list[str]:
        """Return all bodies that it is told, up to one."""

    def close(self) -> None:
        """Listen no more."""


Listen = Callable[[str, str | None], Listener]
"""Begin to listen to a queue, from a position or from now on."""


def overheard(owner: Project, stranger: Project, *, own: Listen, strange: Listen) -> Iterator[str]:
    """Yield what a stranger who listens could tell of an owner's queues. Both must have none at first."""
    for settings in ({}, {"_history": 3_600}, {"_persistence": "none"}):
        for each in (owner, stranger):
            _tidy(each)
        assert owner.ask("PUT", f"/v2/queues/{_QUEUE}", settings).status_code == 201
        places = _places(owner, own)
        for since in (None, *places, f"{places[-1].partition('.')[0]}.0"):
            theirs, nothing = (_told(owner, stranger, strange, name, since) for name in (_QUEUE, _NOBODYS))
            if theirs != nothing:
                yield f"since {since} of {settings}: {theirs} instead of {nothing}"
            for name in (_QUEUE, _NOBODYS):
                assert stranger.ask("DELETE", f"/v2/queues/{name}").status_code == 204


def _places(owner: Project, own: Listen) -> list[str]:
    """Let the owner post, take and hear, and return the positions where it began and where it is now."""
    before = own(_QUEUE, None)
    _post(owner, _QUEUE, "of the owner", "of the owner, the last")
    assert before.hear("of the owner, the last") == ["of the owner", "of the owner, the last"]
    owner.ask("DELETE", f"/v2/queues/{_QUEUE}/messages?pop=1")
    after = own(_QUEUE, None)
    for each in (before, after):
        each.close()
    return [before.answer["position"], after.answer["position"]]


def _told(owner: Project, stranger: Project, strange: Listen, name: str, since: str | None) -> tuple[Any, ...]:
    """Return what a stranger is told at a queue of its own, while the owner posts to one of perhaps the same name."""
    listener = strange(name, since)
    _post(owner, _QUEUE, "of the owner")
    _post(stranger, name, "of the stranger")
    heard = listener.hear("of the stranger")
    listener.close()
    return sorted(listener.answer), listener.answer.get("recovered"), heard


def _post(project: Project, queue: str, *bodies: str) -> None:
    messages = {"messages": [{"body": body, "ttl": 3_600} for body in bodies]}
    assert project.ask("POST", f"/v2/queues/{queue}/messages", messages).status_code == 201


def _tidy(stranger: Project) -> None:
    for kind in ("queues", "topics"):
        for name in (_QUEUE, _NOBODYS):
            assert stranger.ask("DELETE", f"/v2/{kind}/{name}").status_code == 204
