"""Taking messages of a queue for a consumer: as many ahead of its work as it wants."""

import asyncio
import contextlib
from typing import Final

import msgspec

from sukkal.client.asking import Asking
from sukkal.client.errors import ClientError, Refused, Unreachable
from sukkal.client.exchange import Answer
from sukkal.client.held import HeldMessage
from sukkal.client.leases import GRACE_S, Lease
from sukkal.client.nouns import Message

__all__ = ["Claiming", "Terms"]

_NO_CONTENT: Final = 204
_CLAIM_MESSAGES_MAX: Final = 20
_ENDING_S: Final = 5.0
_GATHERING_S: Final = 0.05


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How to consume: claims of ``lease`` seconds, and at most ``prefetch`` messages held at once.

    ``wait`` is how long the service waits for messages before it answers that there are none; then it is asked again,
    or consuming ends if ``until_empty``.
    """

    lease: int = 60
    prefetch: int = 1
    wait: int = 20
    until_empty: bool = False


class Claiming:
    """Holds at most ``prefetch`` messages of the queue at ``path``, and claims others as there is room."""

    def __init__(self, asking: Asking, path: str, terms: Terms) -> None:
        self._asking = asking
        self._path = path
        self._terms = terms
        # Its own, so that it can be ended without anything claimed being lost.
        self._connection = asking.connection.another()
        self._held: dict[str, HeldMessage] = {}
        self._ready: asyncio.Queue[HeldMessage | None] = asyncio.Queue()
        self._room = asyncio.Event()
        self._failure: Exception | None = None
        self._closed = self._asked = False
        self._takers = 0
        self._fetching: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Begin to claim."""
        await self._connection.__aenter__()
        self._fetching = asyncio.get_running_loop().create_task(self._fetch())

    async def take(self) -> HeldMessage | None:
        """Return the next message, or ``None`` if there will be none. Raises what has ended it."""
        self._takers += 1
        self._room.set()
        try:
            while (message := await self._ready.get()) is not None:
                self._room.set()
                if not (message.lost or self._closed):
                    return message
        finally:
            self._takers -= 1
        self._ready.put_nowait(None)
        if self._failure is not None:
            raise self._failure
        return None

    async def close(self) -> None:
        """Take no more, and give back at once what is held, as far as the service can be reached."""
        self._closed = True
        self._connection.end()
        if self._fetching is not None:
            if self._asked:
                # What was claimed is told in the answer that is on its way.
                await asyncio.wait((self._fetching,), timeout=_ENDING_S)
            self._fetching.cancel()
            await asyncio.wait((self._fetching,))
        self._ready.put_nowait(None)
        held = list(self._held.values())
        leases = {message.lease.id: message.lease for message in held}
        await asyncio.gather(*(_let_go(lease) for lease in leases.values()))
        for message in held:
            message.lose()
        await self._connection.__aexit__(None, None, None)

    async def _fetch(self) -> None:
        try:
            await self._keep_fetching()
        except Exception as error:  # noqa: BLE001 - raised again where the next message is expected
            if not self._closed:
                self._failure = error
        finally:
            self._ready.put_nowait(None)

    async def _keep_fetching(self) -> None:
        failures = 0
        while not self._closed:
            room = await self._wait_for_room()
            self._asked = True
            try:
                claimed = await self._claim(room)
                failures = 0
            except ClientError as error:
                self._asked = False
                if self._closed or not _passing(error):
                    raise
                await asyncio.sleep(self._asking.pause_s(failures, error))
                failures += 1
                continue
            self._asked = False
            if not claimed:
                if self._terms.until_empty:
                    return
                # Usually the service has waited already; what answers for it may not.
                await asyncio.sleep(self._asking.pause_s(0))

    async def _wait_for_room(self) -> int:
        prefetch = self._terms.prefetch
        while True:
            room = self._room_left()
            # Few large claims instead of many small ones, unless somebody has nothing to do. And nothing is claimed
            # ahead of those who want nothing ahead: it may never be wanted, and would count as claimed once more.
            wanted = self._takers > 0 and self._ready.empty()
            if room > 0 and (wanted or (prefetch > 1 and room * 2 >= prefetch)):
                await self._gather()
                return self._room_left()
            self._room.clear()
            await self._room.wait()

    def _room_left(self) -> int:
        return self._terms.prefetch - len(self._held)

    async def _gather(self) -> None:
        """Wait a moment for the messages that are being settled by now: their room goes into the same claim."""
        leaving = [message for message in self._held.values() if message.settling]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GATHERING_S):
                while self._room_left() < _CLAIM_MESSAGES_MAX and any(message.settling for message in leaving):
                    self._room.clear()
                    await self._room.wait()

    async def _claim(self, room: int) -> bool:
        terms = self._terms
        answer = await self._connection.request(
            "POST",
            f"{self._path}/claims",
            {"ttl": terms.lease, "grace": GRACE_S},
            query={"limit": str(min(room, _CLAIM_MESSAGES_MAX)), "wait": str(terms.wait), "detailed": "true"},
            timeout_s=self._asking.timeout_s + terms.wait,
        )
        if answer.status == _NO_CONTENT:
            return False
        self._hold(answer)
        return True

    def _hold(self, answer: Answer) -> None:
        try:
            messages = msgspec.convert(answer.member("messages", list), list[Message])
            lease = Lease(self._asking, answer.headers["Location"], self._terms.lease, self._lost)
        except (KeyError, msgspec.ValidationError):
            raise answer.unexpected() from None
        for each in messages:
            message = HeldMessage(self._asking, self._path, each, lease, self._ended)
            if (earlier := self._held.get(each.id)) is not None:
                earlier.lose()  # Its claim has ended, unnoticed so far.
            self._held[each.id] = message
            self._ready.put_nowait(message)

    def _lost(self, lease: Lease) -> None:
        for message in [each for each in self._held.values() if each.lease is lease]:
            message.lose()

    def _ended(self, message: HeldMessage) -> None:
        if self._held.get(message.id) is message:
            del self._held[message.id]
        if all(each.lease is not message.lease for each in self._held.values()):
            message.lease.close()
        self._room.set()


async def _let_go(lease: Lease) -> None:
    with contextlib.suppress(ClientError, TimeoutError):  # Then it ends by itself.
        async with asyncio.timeout(_ENDING_S):
            await lease.release()


def _passing(error: ClientError) -> bool:
    return isinstance(error, Unreachable) or (isinstance(error, Refused) and error.may_succeed_later)
