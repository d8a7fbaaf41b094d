"""A client with the verbs of Murano's old wrapper around AMQP: declare, send, open, ack.

with MqClient("http://127.0.0.1:8888", "murano") as mq:
    mq.declare("plans", ttl_s=86_400)
    mq.send({"Name": "install"}, "plans", message_id="1")
    with mq.open("plans", prefetch=1) as subscription:
        if message := subscription.get_message(timeout_s=20):
            message.ack()
"""

import math
import threading
import time
import uuid
from types import TracebackType
from typing import Any, Final, Self

from sukkal.client import Answer, BlockingConnection, ProjectName, Refused, Unreachable

__all__ = ["MqClient", "MqMessage", "Subscription"]

_CLAIM_S: Final = 60
_WAIT_S_MAX: Final = 20
_PAUSE_S: Final = 0.5
_TRIES: Final = 120


class _Line:
    """A connection for one thread at a time, which tries again while there is no answer."""

    def __init__(self, url: str, project: str, client_id: str) -> None:
        self._connection = BlockingConnection(url, ProjectName(project), client_id=client_id)
        self._using = threading.Lock()
        self.closing = threading.Event()

    def ask(self, method: str, path: str, document: Any = None, **more: Any) -> Answer:
        """Return the answer to a request that may be done twice. Raises ``ClientError``."""
        for _ in range(_TRIES):
            try:
                with self._using:
                    return self._connection.request(method, path, document, repeatable=True, **more)
            except Unreachable:
                if self.closing.wait(_PAUSE_S):
                    raise
        with self._using:
            return self._connection.request(method, path, document, repeatable=True, **more)

    def close(self) -> None:
        self.closing.set()
        self._connection.close()


class MqClient:
    """Queues of a project. ``url`` is where the service is."""

    def __init__(self, url: str, project: str) -> None:
        self._where = (url, project, str(uuid.uuid4()))
        self._line = _Line(*self._where)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.close()

    def declare(self, queue: str, *, ttl_s: int = 0) -> None:
        """Make a queue, unless it is there. It goes when nobody has used it for ``ttl_s`` seconds; 0 keeps it."""
        self._line.ask("PUT", f"/v2/queues/{queue}", {"_expires_after": ttl_s} if ttl_s else {})

    def send(self, body: Any, queue: str, *, message_id: str, reply_to: str | None = None) -> None:
        """Send a message, which is stored when this returns, whether there is somebody who takes it or not."""
        message = {"body": body, "correlation_id": message_id} | ({"reply_to": reply_to} if reply_to else {})
        # The key makes a repetition harmless.
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        self._line.ask("POST", f"/v2/queues/{queue}/messages", {"messages": [message]}, headers=headers)

    def open(self, queue: str, *, prefetch: int = 1) -> "Subscription":
        """Return a subscription, which has at most ``prefetch`` messages that are not acknowledged."""
        return Subscription(_Line(*self._where), _Line(*self._where), queue, prefetch)


class MqMessage:
    """A message, which comes again to somebody unless it is acknowledged."""

    def __init__(self, subscription: "Subscription", document: dict[str, Any]) -> None:
        self.body: Any = document["body"]
        self.id: str = document.get("correlation_id", document["id"])
        self.reply_to: str | None = document.get("reply_to")
        self.path, _, self.claim = document["href"].partition("?claim_id=")
        self._subscription = subscription

    def ack(self) -> None:
        """Remove it. Raises ``Refused`` if somebody else has it by now."""
        self._subscription.settle(self)


class Subscription:
    """Takes messages out of a queue, and renews the claims of those that are not acknowledged yet.

    One thread gets messages; any thread acknowledges them.
    """

    def __init__(self, taking: _Line, settling: _Line, queue: str, prefetch: int) -> None:
        self._taking = taking
        self._settling = settling
        self._queue = f"/v2/queues/{queue}"
        self._room = threading.BoundedSemaphore(prefetch)
        self._held: dict[str, MqMessage] = {}
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._renew, daemon=True)
        self._renewer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def get_message(self, timeout_s: float) -> MqMessage | None:
        """Return the next message, ``None`` if there is none in time."""
        ends_s = time.monotonic() + timeout_s
        if not self._room.acquire(timeout=timeout_s):
            return None
        while not self._ended.is_set():
            left_s = max(0.0, ends_s - time.monotonic())
            if message := self._claimed(min(math.ceil(left_s), _WAIT_S_MAX)):
                self._held[message.path] = message
                return message
            if left_s == 0:
                break
        self._room.release()
        return None

    def settle(self, message: MqMessage) -> None:
        """Remove a message that was got here."""
        try:
            self._settling.ask("DELETE", message.path, query={"claim_id": message.claim})
        finally:
            del self._held[message.path]
            self._room.release()

    def close(self) -> None:
        """Give back what is not acknowledged, so that others get it at once."""
        self._ended.set()
        self._renewer.join()
        for message in list(self._held.values()):
            self._settling.ask("DELETE", f"{self._queue}/claims/{message.claim}")
        self._taking.close()
        self._settling.close()

    def _claimed(self, wait_s: int) -> MqMessage | None:
        document = {"ttl": _CLAIM_S, "grace": _CLAIM_S}
        answer = self._taking.ask("POST", f"{self._queue}/claims", document, query={"limit": "1", "wait": str(wait_s)})
        found = answer.document["messages"] if answer.document else []
        return MqMessage(self, found[0]) if found else None

    def _renew(self) -> None:
        while not self._ended.wait(_CLAIM_S / 3):
            for message in list(self._held.values()):
                try:
                    self._settling.ask("PATCH", f"{self._queue}/claims/{message.claim}", {"ttl": _CLAIM_S})
                except Refused:
                    continue  # It was acknowledged meanwhile, or others have it: then `ack` says so.
