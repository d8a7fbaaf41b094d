"""Where notifications go that no publisher will ever take: always into the log, and into a queue if there is one."""

import json
import logging
from typing import Any, Final, Protocol
from urllib.parse import quote

from sukkal.client import ClientError, Connection, Credentials, Refused
from sukkal.forwarder.pauses import Pauses

__all__ = ["DeadLetters", "LoggedDeadLetters", "QueuedDeadLetters"]

_log: Final = logging.getLogger("sukkal.forwarder")


class DeadLetters(Protocol):
    """Keeps what was given up."""

    async def put(self, route: str, body: bytes, reason: str) -> None:
        """Keep a notification as it came, and return when it is kept."""

    async def close(self) -> None:
        """Let go of all connections."""


class LoggedDeadLetters:
    """Says in the log that there was one, and why. The notification itself may have secrets, and is not shown."""

    async def put(self, route: str, body: bytes, reason: str) -> None:
        """Write a line."""
        _log.error("dead letter", extra={"route": route, "reason": reason, "bytes": len(body), **_known(body)})

    async def close(self) -> None:
        """There is nothing to let go of."""


class QueuedDeadLetters:
    """Posts them to a queue of the operator's: route, reason and the notification as a text, exactly as it came."""

    def __init__(self, url: str, queue: str, credentials: Credentials, pauses: Pauses, *, client_id: str) -> None:
        self._connection = Connection(url, credentials, client_id=client_id)
        self._path = f"/v2/queues/{quote(queue, safe='')}/messages"
        self._pauses = pauses
        self._logged = LoggedDeadLetters()
        self._open = False

    async def put(self, route: str, body: bytes, reason: str) -> None:
        """Post it, however long that takes. What is too large for it is only in the log."""
        await self._logged.put(route, body, reason)
        if not self._open:
            await self._connection.__aenter__()
            self._open = True
        letter = {"route": route, "reason": reason, "notification": body.decode("utf-8", "backslashreplace")}
        failures = 0
        while True:
            try:
                answer = await self._connection.request("POST", self._path, {"messages": [{"body": letter}]})
                answer.member("resources", list)
                return
            except ClientError as error:
                _log.error("dead letter not kept", extra={"route": route, "reason": str(error)})
                if isinstance(error, Refused) and error.is_about_the_request:
                    return
            failures += 1
            await self._pauses.wait(failures)

    async def close(self) -> None:
        """Let go of the connection."""
        if self._open:
            await self._connection.__aexit__(None, None, None)


def _known(body: bytes) -> dict[str, Any]:
    """Return what tells a notification from others, if it can be read."""
    try:
        document = json.loads(body)
        inner = document.get("oslo.message")
        document = json.loads(inner) if isinstance(inner, str) else document
        found = {name: document.get(name) for name in ("message_id", "event_type", "id", "type")}
    except (ValueError, AttributeError, RecursionError):
        return {}
    return {f"notification_{name}": value[:200] for name, value in found.items() if isinstance(value, str)}
