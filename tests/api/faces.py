"""The two faces of the API: the same calls over HTTP and over WebSocket, with what their answers have in common."""

from collections.abc import Sequence
from typing import Any, Final

import httpx
import msgspec

from tests.api.calling import CLIENT, Service
from tests.api.sockets import Reply, Socket

__all__ = ["Face", "Http", "Message", "Refusal", "WebSocket"]

_PATCH: Final = {"content-type": "application/openstack-messaging-v2.0-json-patch"}

Members = dict[str, Any]


class Refusal(Exception):
    """The service has refused something."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}")
        self.status = status
        self.text = text


class Message(msgspec.Struct, frozen=True):
    """A message as both faces show it."""

    id: str
    ttl: int
    age: int
    body: Any


class Face:
    """The calls of one client."""

    def queues(self, **members: Any) -> list[str]:
        """Return the names of a page of queues."""
        raise NotImplementedError

    def create(self, queue: str, metadata: Members | None = None) -> bool:
        """Create a queue and tell whether it is new."""
        raise NotImplementedError

    def change(self, queue: str, changes: Sequence[Members]) -> Members:
        """Change a queue's metadata and return them."""
        raise NotImplementedError

    def remove(self, queue: str) -> None:
        """Delete a queue."""
        raise NotImplementedError

    def purge(self, queue: str, *resources: str) -> None:
        """Empty a queue."""
        raise NotImplementedError

    def counts(self, queue: str) -> tuple[int, int, int]:
        """Return how many messages are claimed, free and there."""
        raise NotImplementedError

    def post(self, queue: str, *messages: Members, key: str | None = None) -> list[str]:
        """Post messages and return their ids."""
        raise NotImplementedError

    def listing(self, queue: str, **members: Any) -> list[Message]:
        """Return a page of messages."""
        raise NotImplementedError

    def message(self, queue: str, id_: str) -> Message:
        """Return one message."""
        raise NotImplementedError

    def delete(self, queue: str, id_: str, claim: str | None = None) -> None:
        """Delete one message."""
        raise NotImplementedError

    def delete_many(self, queue: str, ids: Sequence[str]) -> None:
        """Delete messages."""
        raise NotImplementedError

    def pop(self, queue: str, count: int) -> list[Any]:
        """Take messages and return their bodies."""
        raise NotImplementedError

    def claim(self, queue: str, limit: int | None = None, **members: Any) -> tuple[str, list[Message]]:
        """Claim messages; the claim has no id if there are none."""
        raise NotImplementedError

    def held(self, queue: str, claim: str) -> tuple[int, list[Message]]:
        """Return the ttl of a claim and what it holds."""
        raise NotImplementedError

    def renew(self, queue: str, claim: str, **members: Any) -> None:
        """Begin a claim's time anew."""
        raise NotImplementedError

    def end(self, queue: str, claim: str) -> None:
        """End a claim."""
        raise NotImplementedError

    def subscribe(self, queue: str, **members: Any) -> str:
        """Subscribe and return the id."""
        raise NotImplementedError

    def subscriptions(self, queue: str) -> list[Members]:
        """Return the subscriptions of a queue."""
        raise NotImplementedError

    def unsubscribe(self, queue: str, id_: str) -> None:
        """End a subscription."""
        raise NotImplementedError


class Http(Face):
    """The calls over HTTP."""

    def __init__(self, service: Service, client: str = CLIENT, project: str = "p") -> None:
        self._service = service
        self._who: dict[str, Any] = {"client": client, "project": project}

    def _call(self, method: str, path: str, **more: Any) -> httpx.Response:
        response = self._service.call(method, f"/v2/queues{path}", **self._who, **more)
        if response.status_code >= 400:
            raise Refusal(response.status_code, response.json().get("description", ""))
        return response

    def queues(self, **members: Any) -> list[str]:
        return [each["name"] for each in self._call("GET", "", params=members).json()["queues"]]

    def create(self, queue: str, metadata: Members | None = None) -> bool:
        return self._call("PUT", f"/{queue}", json=metadata or {}).status_code == 201

    def change(self, queue: str, changes: Sequence[Members]) -> Members:
        found: Members = self._call("PATCH", f"/{queue}", json=changes, headers=_PATCH).json()
        return found

    def remove(self, queue: str) -> None:
        self._call("DELETE", f"/{queue}")

    def purge(self, queue: str, *resources: str) -> None:
        self._call("POST", f"/{queue}/purge", json={"resource_types": resources})

    def counts(self, queue: str) -> tuple[int, int, int]:
        return _counts(self._call("GET", f"/{queue}/stats").json())

    def post(self, queue: str, *messages: Members, key: str | None = None) -> list[str]:
        headers = {"idempotency-key": key} if key else {}
        made = self._call("POST", f"/{queue}/messages", json={"messages": messages}, headers=headers).json()
        return [path.rpartition("/")[2] for path in made["resources"]]

    def listing(self, queue: str, **members: Any) -> list[Message]:
        given = {name: str(value).lower() if isinstance(value, bool) else value for name, value in members.items()}
        return _messages(self._call("GET", f"/{queue}/messages", params=given).json())

    def message(self, queue: str, id_: str) -> Message:
        return _message(self._call("GET", f"/{queue}/messages/{id_}").json())

    def delete(self, queue: str, id_: str, claim: str | None = None) -> None:
        self._call("DELETE", f"/{queue}/messages/{id_}", params={"claim_id": claim} if claim else {})

    def delete_many(self, queue: str, ids: Sequence[str]) -> None:
        self._call("DELETE", f"/{queue}/messages", params={"ids": ",".join(ids)})

    def pop(self, queue: str, count: int) -> list[Any]:
        popped = self._call("DELETE", f"/{queue}/messages", params={"pop": count}).json()
        return [each["body"] for each in popped["messages"]]

    def claim(self, queue: str, limit: int | None = None, **members: Any) -> tuple[str, list[Message]]:
        response = self._call("POST", f"/{queue}/claims", params={"limit": limit} if limit else {}, json=members)
        if response.status_code == 204:
            return "", []
        return response.headers["location"].rpartition("/")[2], _messages(response.json())

    def held(self, queue: str, claim: str) -> tuple[int, list[Message]]:
        shown = self._call("GET", f"/{queue}/claims/{claim}").json()
        return shown["ttl"], _messages(shown)

    def renew(self, queue: str, claim: str, **members: Any) -> None:
        self._call("PATCH", f"/{queue}/claims/{claim}", json=members)

    def end(self, queue: str, claim: str) -> None:
        self._call("DELETE", f"/{queue}/claims/{claim}")

    def subscribe(self, queue: str, **members: Any) -> str:
        return str(self._call("POST", f"/{queue}/subscriptions", json=members).json()["subscription_id"])

    def subscriptions(self, queue: str) -> list[Members]:
        found: list[Members] = self._call("GET", f"/{queue}/subscriptions").json()["subscriptions"]
        return found

    def unsubscribe(self, queue: str, id_: str) -> None:
        self._call("DELETE", f"/{queue}/subscriptions/{id_}")


class WebSocket(Face):
    """The calls over WebSocket."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    def _ask(self, action: str, headers: Members | None = None, **members: Any) -> Reply:
        reply = self._socket.ask(action, members, **headers or {})
        if reply.status >= 400 and action != "queue_get_stats":
            raise Refusal(reply.status, reply.body["error"])
        return reply

    def queues(self, **members: Any) -> list[str]:
        return [each["name"] for each in self._ask("queue_list", **members).body["queues"]]

    def create(self, queue: str, metadata: Members | None = None) -> bool:
        return self._ask("queue_create", queue_name=queue, metadata=metadata or {}).status == 201

    def change(self, queue: str, changes: Sequence[Members]) -> Members:
        found: Members = self._ask("queue_update", queue_name=queue, changes=changes).body
        return found

    def remove(self, queue: str) -> None:
        self._ask("queue_delete", queue_name=queue)

    def purge(self, queue: str, *resources: str) -> None:
        self._ask("queue_purge", queue_name=queue, resource_types=resources)

    def counts(self, queue: str) -> tuple[int, int, int]:
        return _counts(self._ask("queue_get_stats", queue_name=queue).body)

    def post(self, queue: str, *messages: Members, key: str | None = None) -> list[str]:
        headers = {"Idempotency_Key": key} if key else {}
        ids: list[str] = self._ask("message_post", headers, queue_name=queue, messages=messages).body["message_ids"]
        return ids

    def listing(self, queue: str, **members: Any) -> list[Message]:
        if "ids" in members:
            return _messages(
                self._ask("message_get_many", queue_name=queue, message_ids=members["ids"].split(",")).body
            )
        return _messages(self._ask("message_list", queue_name=queue, **members).body)

    def message(self, queue: str, id_: str) -> Message:
        return _message(self._ask("message_get", queue_name=queue, message_id=id_).body["messages"])

    def delete(self, queue: str, id_: str, claim: str | None = None) -> None:
        more: Members = {"claim_id": claim} if claim else {}
        self._ask("message_delete", queue_name=queue, message_id=id_, **more)

    def delete_many(self, queue: str, ids: Sequence[str]) -> None:
        self._ask("message_delete_many", queue_name=queue, message_ids=ids)

    def pop(self, queue: str, count: int) -> list[Any]:
        popped = self._ask("message_delete_many", queue_name=queue, pop=count).body
        return [each["body"] for each in popped["messages"]]

    def claim(self, queue: str, limit: int | None = None, **members: Any) -> tuple[str, list[Message]]:
        more: Members = {"limit": limit} if limit else {}
        body = self._ask("claim_create", queue_name=queue, **more, **members).body
        return body["claim_id"] or "", _messages(body)

    def held(self, queue: str, claim: str) -> tuple[int, list[Message]]:
        shown = self._ask("claim_get", queue_name=queue, claim_id=claim).body
        return shown["ttl"], _messages(shown)

    def renew(self, queue: str, claim: str, **members: Any) -> None:
        self._ask("claim_update", queue_name=queue, claim_id=claim, **members)

    def end(self, queue: str, claim: str) -> None:
        self._ask("claim_delete", queue_name=queue, claim_id=claim)

    def subscribe(self, queue: str, **members: Any) -> str:
        return str(self._ask("subscription_create", queue_name=queue, **members).body["subscription_id"])

    def subscriptions(self, queue: str) -> list[Members]:
        found: list[Members] = self._ask("subscription_list", queue_name=queue).body["subscriptions"]
        return found

    def unsubscribe(self, queue: str, id_: str) -> None:
        self._ask("subscription_delete", queue_name=queue, subscription_id=id_)


def _message(shown: Members) -> Message:
    return Message(shown["id"], shown["ttl"], shown["age"], shown["body"])


def _messages(document: Members) -> list[Message]:
    return [_message(each) for each in document["messages"]]


def _counts(document: Members) -> tuple[int, int, int]:
    messages = document["messages"]
    return messages["claimed"], messages["free"], messages["total"]
