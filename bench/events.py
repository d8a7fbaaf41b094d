"""What events cost: to be translated when they are posted, and to be looked at by filters, against posting as it is."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.growth import Comparison
from bench.load import Address, Script, perform
from bench.processes import Cores, Server, service_command
from bench.rounds import Case, Result, Target
from bench.scripts import Repeat, queue_path
from bench.wire import request, require, status_line

__all__ = ["EVENTS", "measure_events"]

EVENTS: Final = "events"

_CONNECTIONS: Final = 16
_MANY: Final = 1_000
_WORST_WANTED: Final = 2.0
_MANY_WANTED: Final = 10.0
_NOTIFICATION: Final[dict[str, Any]] = {
    "message_id": "2f0d4cf0-6ad1-4f0c-9d3b-3f7b0f3c1c11",
    "publisher_id": "nova-compute:host-17",
    "event_type": "instance.create.end",
    "priority": "INFO",
    "timestamp": "2026-01-02 03:04:05.678901",
    "payload": {
        "nova_object.name": "InstanceCreatePayload",
        "nova_object.namespace": "nova",
        "nova_object.version": "1.10",
        "nova_object.data": {
            "uuid": "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52",
            "tenant_id": "d1f9c0a3b2e84f7aa2d0b7f5f0a4c311",
            "user_id": "90c4b9f2f6f0445d8d0ea5b8d7a1d9aa",
            "display_name": "web-17",
            "state": "active",
            "task_state": None,
            "host": "host-17",
            "architecture": "x86_64",
            "created_at": "2026-01-02T03:04:01Z",
            "flavor": {
                "nova_object.name": "FlavorPayload",
                "nova_object.namespace": "nova",
                "nova_object.version": "1.4",
                "nova_object.data": {"name": "m1.small", "memory_mb": 2_048, "vcpus": 2, "root_gb": 20},
            },
        },
    },
}
_EVENT: Final[dict[str, Any]] = {
    "specversion": "1.0",
    "id": "2f0d4cf0-6ad1-4f0c-9d3b-3f7b0f3c1c11",
    "source": "/nova-compute/host-17",
    "type": "org.openstack.nova.instance.create.end",
    "data": _NOTIFICATION["payload"],
}


class _Posting:
    """Each connection posts a notification to a queue that was made for the case. It is purged after each round."""

    def __init__(
        self,
        name: str,
        *,
        attributes: dict[str, Any] | None = None,
        filters: Sequence[Sequence[dict[str, Any]]] = (),
    ) -> None:
        self.queues = [name]
        self._path = queue_path(name)
        self._attributes = attributes or {}
        self._filters = filters

    def prepare(self, address: Address) -> None:
        """Make the queue and its subscriptions, of which none gets anything."""
        perform(address, [request("PUT", self._path, self._attributes)], _made)
        perform(address, list(self._subscribing()), _made)

    def script(self, number: int) -> Script:
        """Return the script of one connection."""
        document = {"messages": [{"body": _NOTIFICATION, "ttl": 3_600}]}
        return Repeat([request("POST", f"{self._path}/messages", document)], 201)

    def tidy(self, address: Address) -> None:
        """Begin with an empty queue again."""
        purge = request("POST", f"{self._path}/purge", {"resource_types": ["messages"]})
        perform(address, [purge], lambda answer, _: require(answer, status_line(204)))

    def _subscribing(self) -> Iterator[bytes]:
        for number, filters in enumerate(self._filters):
            document = {
                "subscriber": f"http://127.0.0.1:9/{number}",
                "ttl": 3_600,
                "options": {"filters": list(filters)},
            }
            yield request("POST", f"{self._path}/subscriptions", document)


class _PostingEvents(_Posting):
    """Each connection posts events, no two of which have the same id: a duplicate would not be stored."""

    def script(self, number: int) -> Script:
        """Return the script of one connection."""
        return _NewEach(_posted(self._path, _EVENT), number)


class _NewEach:
    """Sends a request again and again, each time with another id in the place of the event's."""

    def __init__(self, request: bytes, number: int) -> None:
        self._before, self._after = request.split(_EVENT["id"].encode())
        self._ids = (b"%018d%018d" % (number, each) for each in count())
        self._beginning = status_line(201)

    def first(self) -> bytes:
        """Return the first request."""
        return self._before + next(self._ids) + self._after

    def next(self, answer: bytes, body_at: int) -> bytes:
        """Return the next request."""
        require(answer, self._beginning)
        return self.first()


class _Wanted(NamedTuple):
    label: str
    workload: _Posting
    worst: float


def measure_events(
    directory: Path, cores: Cores, *, measure: Callable[[Sequence[Case]], list[Result]]
) -> list[Comparison]:
    """Measure posts of the same notification to a queue without anything and to others."""
    directory.mkdir()
    command = service_command(directory / "data", "--webhook-allow", "127.0.0.0/8")
    with Server(command, core=cores.server, log=directory / "service.log") as server:
        target = Target.of(server)
        wanted = _wanted()
        cases = [Case("raw", _CONNECTIONS, target, _Posting("raw"))]
        cases += [Case(each.label, _CONNECTIONS, target, each.workload) for each in wanted]
        raw, *others = measure(cases)
    return [Comparison(each.label, raw, other, each.worst) for each, other in zip(wanted, others, strict=True)]


def _wanted() -> list[_Wanted]:
    other = [{"exact": {"type": f"of.kind.{number}"}} for number in range(_MANY)]
    sql = [{"sql": "type LIKE 'org.openstack.nova.instance.%' AND subject = 'none'"}]
    return [
        _Wanted("posted as an event", _PostingEvents("events"), _WORST_WANTED),
        _Wanted("normalised", _Posting("normalised", attributes={"_normalize": "cloudevents"}), _WORST_WANTED),
        _Wanted("a subscription with an exact filter", _Posting("exact", filters=[other[:1]]), _WORST_WANTED),
        _Wanted("a subscription with an expression", _Posting("sql", filters=[sql]), _WORST_WANTED),
        _Wanted(f"a subscription with {_MANY:,} filters", _Posting("many", filters=[[{"any": other}]]), _MANY_WANTED),
        _Wanted(
            f"{_MANY:,} subscriptions with a filter each",
            _Posting("each", filters=[[each] for each in other]),
            _MANY_WANTED,
        ),
    ]


def _posted(path: str, event: dict[str, Any]) -> bytes:
    plain = request("POST", f"{path}/events", event)
    return plain.replace(b"Content-Type: application/json", b"Content-Type: application/cloudevents+json")


def _made(answer: bytes, _: int) -> None:
    require(answer, status_line(201))
