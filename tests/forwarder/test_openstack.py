"""What Nova and Ironic really emit comes to the right tenant's queue, the search and a webhook, once."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.clients.rabbitmq import RabbitMQ
from tests.forwarder.emitting import IRONIC, NOVA, PLAIN, emit, url_of
from tests.forwarder.hook import Hook
from tests.forwarder.running import ForwarderProcess, eventually, found_events, queue_events
from tests.serving import ServerProcess

ROUTES = ("nova.tenants", "nova.hook", "ironic.tenants", "ironic.hook")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path}/data") as server:
        yield server


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as hook:
        yield hook


def configuration(broker: RabbitMQ, server: ServerProcess, hook: Hook, pool: str) -> dict[str, Any]:
    rabbit = {"kind": "rabbitmq", "url": url_of(broker), "pool": pool, "window": 50}
    return {
        "sources": {
            "nova": {**rabbit, "exchanges": ["nova"], "topics": ["notifications", "versioned_notifications"]},
            "ironic": {**rabbit, "exchanges": ["ironic"], "topics": ["ironic_versioned_notifications"]},
        },
        "publishers": {
            "tenants": {
                "kind": "queue",
                "from": ["nova", "ironic"],
                "url": server.url,
                "queue": "events",
                "attributes": {"_default_message_ttl": 4711, "_search": True},
            },
            "hook": {"kind": "webhook", "from": ["nova", "ironic"], "url": hook.url, "audience": "operator"},
        },
        "metrics_listen": "127.0.0.1:0",
        "longest_pause_s": 0.5,
        "report_s": 0.2,
    }


def accepted(forwarder: ForwarderProcess, route: str) -> float:
    return forwarder.measured("sukkal_forwarder_notifications_total", route=route, outcome="accepted")


def names(events: list[dict[str, Any]]) -> list[str]:
    """Return what each event is about, as its emitter called it."""
    found = []
    for event in events:
        data = event["data"]
        inner = next((value for name, value in data.items() if name.endswith("_object.data")), data)
        found.append(inner.get("name") or inner.get("description") or inner["instance_id"])
    return found


def test_each_comes_to_its_tenants_queue_the_search_and_the_webhook(
    broker: RabbitMQ, server: ServerProcess, hook: Hook, tmp_path: Path
) -> None:
    with ForwarderProcess(tmp_path, configuration(broker, server, hook, "each")) as forwarder:
        forwarder.wait_until_bound(ROUTES)
        emitted = emit(broker, NOVA, 4, "p-1", "p-2") + emit(broker, IRONIC, 4, "p-1", "p-3")
        emitted += emit(broker, PLAIN, 4, "p-2", "p-3")
        eventually("all are accepted", lambda: sum(accepted(forwarder, route) for route in ROUTES) == 2 * len(emitted))
        for project in ("p-1", "p-2", "p-3"):
            found = queue_events(server.url, project, "events")
            assert sorted(names(found)) == sorted(name for owner, name in emitted if owner == project)
            assert {event["osprojectid"] for event in found} == {project}
            # Nothing that only administrators may see, and nothing of the sender's context.
            assert "secret" not in str(found)
            eventually("the search has them", lambda: len(found_events(server.url, project)) == len(found))  # noqa: B023
            assert sorted(names(found_events(server.url, project))) == sorted(names(found))
        assert sorted(names([taken.event for taken in hook.taken])) == sorted(name for _, name in emitted)
        assert "secret-token" not in str(hook.taken)
        assert "secret-host" in str(hook.taken)
        assert queue_events(server.url, "admin", "events") == []
        assert forwarder.stop() == 0


def test_what_was_on_its_way_when_the_forwarder_was_killed_arrives_once_in_the_queues_and_the_search(
    broker: RabbitMQ, server: ServerProcess, hook: Hook, tmp_path: Path
) -> None:
    told = configuration(broker, server, hook, "killed")
    with ForwarderProcess(tmp_path, told) as forwarder:
        forwarder.wait_until_bound(ROUTES)
    emitted: list[tuple[str, str]] = []
    for script in (PLAIN, NOVA, IRONIC):
        emitted += emit(broker, script, 400, "p-1", "p-2")
    for kill in range(1, 6):
        with ForwarderProcess(tmp_path, told) as forwarder:
            eventually("some are taken", lambda: len(hook.taken) > kill * 60)  # noqa: B023
            forwarder.kill()
            assert len(hook.taken) < len(emitted), "it was killed too late to be in the middle"
    with ForwarderProcess(tmp_path, told) as forwarder:
        eventually("nothing waits", lambda: forwarder.is_idle(ROUTES))
        eventually("all came to the webhook", lambda: len({taken.id for taken in hook.taken}) == len(emitted))
        assert forwarder.stop() == 0
    for project in ("p-1", "p-2"):
        wanted = Counter(name for owner, name in emitted if owner == project)
        assert Counter(names(queue_events(server.url, project, "events"))) == wanted
        eventually("the search has all", lambda: len(found_events(server.url, project)) >= wanted.total())  # noqa: B023
        assert Counter(names(found_events(server.url, project))) == wanted
    # The webhook may get some twice, but under the same id.
    once = {taken.id: names([taken.event])[0] for taken in hook.taken}
    assert sorted(once.values()) == sorted(name for _, name in emitted)
    assert len(hook.taken) < 2 * len(emitted)


def test_a_publisher_that_is_down_neither_stops_nor_repeats_the_others(
    broker: RabbitMQ, server: ServerProcess, hook: Hook, tmp_path: Path
) -> None:
    hook.status = 503
    with ForwarderProcess(tmp_path, configuration(broker, server, hook, "down")) as forwarder:
        forwarder.wait_until_bound(ROUTES)
        emitted = emit(broker, PLAIN, 120, "p-1")
        eventually("the queue has all", lambda: accepted(forwarder, "nova.tenants") == len(emitted))
        eventually("the webhook was asked again", lambda: hook.refused > 50)
        assert accepted(forwarder, "nova.hook") == 0
        assert forwarder.measured("sukkal_forwarder_held", route="nova.hook") == 50
        eventually("the rest waits", lambda: forwarder.measured("sukkal_forwarder_waiting", route="nova.hook") == 70)
        hook.status = 200
        eventually("the webhook has all", lambda: accepted(forwarder, "nova.hook") == len(emitted))
        assert len(hook.taken) == len(emitted)
        assert Counter(names(queue_events(server.url, "p-1", "events"))) == Counter(name for _, name in emitted)
        assert accepted(forwarder, "nova.tenants") == len(emitted)
        assert forwarder.measured("sukkal_forwarder_oldest_seconds", route="nova.hook") == 0
        assert forwarder.stop() == 0
