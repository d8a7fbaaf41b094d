"""Messages of a queue of the service, claimed while they are on their way and deleted when they have arrived."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import quote

import msgspec

from sukkal import limits
from sukkal.client import ClientError, Connection, Refused
from sukkal.errors import SettingsError
from sukkal.options import options_of
from sukkal.project_credentials import Access, ProjectCredentials
from sukkal.source import Arrival, SourceContext, SourceUnavailable

__all__ = ["QueueSource"]

_CLAIM_MESSAGES: Final = 20
_NO_CONTENT: Final = 204
_NOT_FOUND: Final = 404
_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    url: Annotated[str, msgspec.Meta(pattern="^https?://")]
    project: _Text
    queues: dict[str, Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]]
    access: Access = Access()
    window: Annotated[int, msgspec.Meta(ge=1, le=limits.FORWARDER_WINDOW_MAX)] = limits.FORWARDER_WINDOW


class _Token(NamedTuple):
    claim: str
    path: str


class QueueSource:
    """Claims from the queue that ``queues`` names for the consumer. Raises ``SettingsError`` for wrong options.

    Each publisher needs a queue of its own, as what one has acknowledged is gone for all; subscriptions with
    ``queue:NAME`` make the copies.
    """

    def __init__(self, options: Mapping[str, Any], context: SourceContext) -> None:
        self._options = options_of(_Options, options)
        queue = self._options.queues.get(context.consumer)
        if queue is None:
            raise SettingsError(f"queues.{context.consumer}: there is no queue for this publisher.")
        credentials = ProjectCredentials(self._options.access).of(self._options.project)
        if credentials is None:
            raise SettingsError("access.keys has no key for the project.")
        self._path = f"/v2/queues/{quote(queue, safe='')}"
        # Longer than a claim waits for messages.
        timeout_s = limits.FORWARDER_TIMEOUT_S + limits.FORWARDER_CLAIM_WAIT_S
        self._connection = Connection(self._options.url, credentials, client_id=context.client_id, timeout_s=timeout_s)
        self.window = self._options.window
        self._renewing: asyncio.Task[None] | None = None
        self._claims: dict[str, set[str]] = {}
        self._room = asyncio.Event()

    async def receive(self) -> AsyncIterator[Arrival]:
        """Bring messages as they are claimed. Raises ``SourceUnavailable``."""
        if self._renewing is None:
            await self._connection.__aenter__()
            self._renewing = asyncio.get_running_loop().create_task(self._keep())
        while True:
            while (room := self.window - sum(map(len, self._claims.values()))) <= 0:
                self._room.clear()
                await self._room.wait()
            try:
                claimed = await self._claim(min(room, _CLAIM_MESSAGES))
            except ClientError as error:
                raise SourceUnavailable(str(error)) from None
            if not claimed:
                # Usually the service has waited already; what answers for it may not.
                await asyncio.sleep(limits.FORWARDER_CLAIM_PAUSE_S)
            for arrival in claimed:
                yield arrival

    async def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Delete messages from their queue."""
        for arrival in arrivals:
            token: _Token = arrival.token
            if token.path not in self._claims.get(token.claim, ()):
                continue
            with contextlib.suppress(ClientError):
                await self._connection.request("DELETE", token.path)
            # The claim may have ended meanwhile.
            if (held := self._claims.get(token.claim)) is not None:
                held.discard(token.path)
                if not held:
                    del self._claims[token.claim]
        self._room.set()

    async def waiting(self) -> int | None:
        """Return how many messages lie in the queue that nobody has claimed."""
        if self._renewing is None:
            return None
        try:
            answer = await self._connection.request("GET", f"{self._path}/stats")
        except ClientError:
            return None
        try:
            return int(answer.document["messages"]["free"])
        except (KeyError, TypeError, ValueError):
            return None

    async def close(self) -> None:
        """Let go of what is claimed, so that it can be had by others at once."""
        if self._renewing is None:
            return
        self._renewing.cancel()
        self._renewing = None
        for claim in list(self._claims):
            with contextlib.suppress(ClientError):
                await self._connection.request("DELETE", f"{self._path}/claims/{claim}")
        self._claims.clear()
        await self._connection.__aexit__(None, None, None)

    async def _claim(self, count: int) -> list[Arrival]:
        query = {"limit": str(count), "wait": str(limits.FORWARDER_CLAIM_WAIT_S)}
        ttl_s = limits.FORWARDER_CLAIM_TTL_S
        answer = await self._connection.request(
            "POST", f"{self._path}/claims", {"ttl": ttl_s, "grace": 60}, query=query
        )
        if answer.status == _NO_CONTENT:
            return []
        try:
            found = [self._arrival(message) for message in answer.member("messages", list)]
        except (KeyError, TypeError):
            raise answer.unexpected() from None
        for arrival in found:
            self._claims.setdefault(arrival.token.claim, set()).add(arrival.token.path)
        return found

    def _arrival(self, message: Any) -> Arrival:
        path, _, claim = str(message["href"]).partition("?claim_id=")
        token = _Token(claim, f"{path}?claim_id={claim}")
        body = msgspec.json.encode(message["body"])
        return Arrival(body=body, place=self._path, id=str(message["id"]), token=token)

    async def _keep(self) -> None:
        """Extend the claims while their messages are on their way."""
        while True:
            await asyncio.sleep(limits.FORWARDER_CLAIM_RENEWAL_S)
            for claim in list(self._claims):
                try:
                    document = {"ttl": limits.FORWARDER_CLAIM_TTL_S, "grace": 60}
                    await self._connection.request("PATCH", f"{self._path}/claims/{claim}", document)
                except Refused as error:
                    if error.status == _NOT_FOUND:
                        # It has ended, and its messages come again.
                        self._claims.pop(claim, None)
                        self._room.set()
                except ClientError:
                    # The next round tries again; there is time for two.
                    continue
