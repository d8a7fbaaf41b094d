"""Calls: a message that is posted, and the reply to it."""

import asyncio
import contextlib
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from sukkal import limits
from sukkal.errors import CallTimedOut, InvalidParameter, InvalidRequest, SukkalError
from sukkal.model import QueueKey
from sukkal.service.attributes import stores_nothing
from sukkal.service.background import Background
from sukkal.service.incoming import Draft, Posted
from sukkal.service.messages import Messages
from sukkal.service.names import reply_queue
from sukkal.service.replies import Replies
from sukkal.settings import Settings
from sukkal.store import Store

__all__ = ["Called", "Calls"]


class Called(msgspec.Struct, frozen=True):
    """What came of a call: the id of the message that was posted, and the body of the reply."""

    id: str
    body: bytes


class Calls:
    """Makes calls.

    Replies are posted to a queue of this process in the caller's project. It is no more than a name: nothing is stored
    under it, so nothing has to be there when a reply comes.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        messages: Messages,
        replies: Replies,
        background: Background,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._settings = settings
        self._messages = messages
        self._replies = replies
        self._background = background
        self._now_ms = now_ms
        self._new_id = new_id
        self._name = ""

    async def call(self, key: QueueKey, client: str, draft: Draft, *, size: int, timeout_s: int | None) -> Called:
        """Post a message and return the first reply to it.

        A request that nobody has claimed when the time is over, or the caller goes away, is removed. Raises
        ``CallTimedOut``.
        """
        timeout_s = self._timeout(timeout_s)
        if stores_nothing(key, await self._store.get_queue(key)):
            raise InvalidRequest("The queue stores nothing (_persistence), so nobody could claim the call.")
        replies = self._reply_queue(key)
        correlation_id = self._new_id()
        ttl_s = max(timeout_s, limits.MESSAGE_TTL_S_MIN) if draft.ttl_s is None else draft.ttl_s
        request = replace(draft, ttl_s=ttl_s, reply_to=replies.name, correlation_id=correlation_id)
        with self._replies.expected(replies, correlation_id) as reply:
            posting = asyncio.ensure_future(self._messages.post(key, client, [request], size=size))
            try:
                # It is withdrawn by its id, which is only known when it is there.
                posted = await asyncio.shield(posting)
                body = await self._replies.wait(replies, correlation_id, reply, wait_s=timeout_s)
            except asyncio.CancelledError:
                self._background.start(self._withdraw_when_posted(key, posting))
                raise
        if body is None:
            await self._withdraw(key, posted.ids)
            raise CallTimedOut(f"Nobody has replied to message {posted.ids[0]} in queue {key.name} in time.")
        return Called(posted.ids[0], body)

    async def _withdraw_when_posted(self, key: QueueKey, posting: "asyncio.Future[Posted]") -> None:
        with contextlib.suppress(SukkalError):
            await self._withdraw(key, (await posting).ids)

    async def _withdraw(self, key: QueueKey, ids: tuple[str, ...]) -> None:
        await self._store.delete_messages(key, ids, now_ms=self._now_ms(), claimed=False)

    def _reply_queue(self, key: QueueKey) -> QueueKey:
        """Return the queue for replies to this process in the project of another queue."""
        self._name = self._name or reply_queue(self._new_id())
        return QueueKey(key.project, self._name)

    def _timeout(self, timeout_s: int | None) -> int:
        most = max(self._settings.wait_max_s, 1)
        timeout_s = min(limits.CALL_TIMEOUT_S_DEFAULT, most) if timeout_s is None else timeout_s
        if not 1 <= timeout_s <= most:
            raise InvalidParameter(f'The "timeout" parameter is invalid. The value must be 1 to {most} seconds.')
        return timeout_s
