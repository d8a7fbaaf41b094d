"""The client for programs with threads: the same methods, each of which waits for what comes of it."""

import asyncio
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self

from sukkal.client.asking import Retries
from sukkal.client.chance import Chance
from sukkal.client.client import Client
from sukkal.client.consuming import Consumer
from sukkal.client.credentials import Credentials
from sukkal.client.errors import MessagesMissed
from sukkal.client.finding import Finding
from sukkal.client.held import HeldMessage
from sukkal.client.listeners import Listeners
from sukkal.client.listening import Heard, Listening
from sukkal.client.nouns import Message
from sukkal.client.portal import Face, Portal, each, steps, waits
from sukkal.client.queue import Queue
from sukkal.client.subscriptions import Subscriptions

__all__ = [
    "SyncClient",
    "SyncConsumer",
    "SyncFinding",
    "SyncHeldMessage",
    "SyncListeners",
    "SyncListening",
    "SyncQueue",
    "SyncSubscriptions",
]

_RETRIES: Final = Retries()


class SyncHeldMessage(Face[HeldMessage]):
    """A message that is claimed for us, until it is acknowledged, released or lost; see ``HeldMessage``."""

    ack = waits(HeldMessage.ack)
    release = waits(HeldMessage.release)
    extend = waits(HeldMessage.extend)
    reply = waits(HeldMessage.reply)
    until_lost = waits(HeldMessage.until_lost)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._portal.run(self._inner.__aexit__(kind, error, trace))

    @property
    def message(self) -> Message:
        """The message."""
        return self._inner.message

    @property
    def id(self) -> str:
        """The id of the message."""
        return self._inner.id

    @property
    def body(self) -> Any:
        """What was posted."""
        return self._inner.body

    @property
    def claim_count(self) -> int:
        """How often the message was claimed, this time included."""
        return self._inner.claim_count

    @property
    def settled(self) -> bool:
        """Whether it was acknowledged or released."""
        return self._inner.settled

    @property
    def lost(self) -> bool:
        """Whether the message is not ours any more although we have not settled it."""
        return self._inner.lost


class SyncConsumer(Face[Consumer]):
    """The messages of a queue, one after another; see ``Consumer``."""

    close = waits(Consumer.aclose)

    def __enter__(self) -> Self:
        self._portal.run(self._inner.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[SyncHeldMessage]:
        for message in steps(self._portal, self._inner.__aiter__()):
            yield SyncHeldMessage(self._portal, message)

    def take(self) -> SyncHeldMessage | None:
        """Return the next message, which the caller settles, or ``None`` when there will be none."""
        message = self._portal.run(self._inner.take())
        return None if message is None else SyncHeldMessage(self._portal, message)

    def work(self, handler: Callable[[SyncHeldMessage], None], *, at_once: int) -> None:
        """Have ``handler`` do the work of the messages, of so many at once, each in a thread."""
        with ThreadPoolExecutor(at_once, thread_name_prefix="sukkal-work") as threads:
            self._portal.run(self._inner.work(self._in_thread(threads, handler), at_once=at_once))

    def serve(self, server: Callable[[SyncHeldMessage], Any], *, at_once: int) -> None:
        """Reply to calls with what ``server`` returns, to so many at once, each in a thread."""
        with ThreadPoolExecutor(at_once, thread_name_prefix="sukkal-work") as threads:
            self._portal.run(self._inner.serve(self._in_thread(threads, server), at_once=at_once))

    def _in_thread(self, threads: ThreadPoolExecutor, handler: Callable[[SyncHeldMessage], Any]) -> Any:
        async def handle(message: HeldMessage) -> Any:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(threads, handler, SyncHeldMessage(self._portal, message))

        return handle


class SyncListening(Face[Listening]):
    """What is posted to a queue, as it is posted; see ``Listening``."""

    close = waits(Listening.aclose)

    def __enter__(self) -> Self:
        self._portal.run(self._inner.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Heard]:
        return steps(self._portal, self._inner.__aiter__())

    @property
    def position(self) -> str | None:
        """Behind what was told last."""
        return self._inner.position


class SyncSubscriptions(Face[Subscriptions]):
    """The standing orders to deliver what is posted to a queue."""

    create = waits(Subscriptions.create)
    all = each(Subscriptions.all)
    get = waits(Subscriptions.get)
    update = waits(Subscriptions.update)
    delete = waits(Subscriptions.delete)
    deliveries = waits(Subscriptions.deliveries)
    redrive = waits(Subscriptions.redrive)
    test = waits(Subscriptions.test)
    explain = waits(Subscriptions.explain)


class SyncQueue(Face[Queue]):
    """A queue of the project; see ``Queue``."""

    def __init__(self, portal: Portal, inner: Queue) -> None:
        super().__init__(portal, inner)
        self.name = inner.name
        self.subscriptions: Final = SyncSubscriptions(portal, inner.subscriptions)

    create = waits(Queue.create)
    metadata = waits(Queue.metadata)
    update = waits(Queue.update)
    delete = waits(Queue.delete)
    purge = waits(Queue.purge)
    stats = waits(Queue.stats)
    post = waits(Queue.post)
    post_many = waits(Queue.post_many)
    post_request = waits(Queue.post_request)
    post_events = waits(Queue.post_events)
    ingest = waits(Queue.ingest)
    messages = each(Queue.messages)
    get = waits(Queue.get)
    delete_messages = waits(Queue.delete_messages)
    pop = waits(Queue.pop)
    claims = each(Queue.claims)
    end_claim = waits(Queue.end_claim)
    call = waits(Queue.call)
    share = waits(Queue.share)
    shared = each(Queue.shared)
    unshare = waits(Queue.unshare)

    def consume(self, *, lease: int = 60, prefetch: int = 1, wait: int = 20, until_empty: bool = False) -> SyncConsumer:
        """Take messages one after another: ``for message in queue.consume()``."""
        consumer = self._inner.consume(lease=lease, prefetch=prefetch, wait=wait, until_empty=until_empty)
        return SyncConsumer(self._portal, consumer)

    @contextmanager
    def one(self, *, lease: int = 60, wait: int = 20) -> Iterator[SyncHeldMessage | None]:
        """Take one message, or ``None`` if there is none: ``with queue.one() as message``."""
        with self.consume(lease=lease, wait=wait, until_empty=True) as consumer:
            message = consumer.take()
            if message is None:
                yield None
                return
            with message:
                yield message

    def work(
        self,
        handler: Callable[[SyncHeldMessage], None],
        *,
        at_once: int = 10,
        prefetch: int | None = None,
        lease: int = 60,
        wait: int = 20,
        until_empty: bool = False,
    ) -> None:
        """Have ``handler`` do the work of all messages, of ``at_once`` at a time, each in a thread."""
        consumer = self.consume(lease=lease, prefetch=prefetch or at_once, wait=wait, until_empty=until_empty)
        consumer.work(handler, at_once=at_once)

    def serve(
        self,
        server: Callable[[SyncHeldMessage], Any],
        *,
        at_once: int = 10,
        lease: int = 60,
        wait: int = 20,
        until_empty: bool = False,
    ) -> None:
        """Reply to the calls that come with what ``server`` returns, ``at_once`` at a time, each in a thread."""
        consumer = self.consume(lease=lease, prefetch=at_once, wait=wait, until_empty=until_empty)
        consumer.serve(server, at_once=at_once)

    def listen(
        self,
        *,
        since: str | None = None,
        filters: Sequence[Mapping[str, Any]] | None = None,
        form: str | None = None,
        on_gap: Callable[[MessagesMissed], None] | None = None,
    ) -> SyncListening:
        """Hear what is posted, and take nothing: ``for heard in queue.listen()``."""
        return SyncListening(self._portal, self._inner.listen(since=since, filters=filters, form=form, on_gap=on_gap))


class SyncFinding(Face[Finding]):
    """What can be found in the queues with ``_search``."""

    events = each(Finding.events)
    resources = each(Finding.resources)
    types = each(Finding.types)
    saved = each(Finding.saved)
    save = waits(Finding.save)
    forget = waits(Finding.forget)


class SyncListeners(Face[Listeners]):
    """The listeners of the project."""

    create = waits(Listeners.create)
    all = each(Listeners.all)
    get = waits(Listeners.get)
    delete = waits(Listeners.delete)


class SyncClient(Face[Client]):
    """A service, and who we are there: ``with SyncClient(url, project="p") as client``.

    It is made as ``Client`` is. Threads may share it.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        project: str | None = None,
        token: str | None = None,
        credentials: Credentials | None = None,
        client_id: str | None = None,
        timeout: float = 30.0,
        retries: Retries = _RETRIES,
        connections: int = 100,
        tls: ssl.SSLContext | None = None,
        chance: Chance | None = None,
    ) -> None:
        inner = Client(
            url,
            project=project,
            token=token,
            credentials=credentials,
            client_id=client_id,
            timeout=timeout,
            retries=retries,
            connections=connections,
            tls=tls,
            chance=chance,
        )
        super().__init__(Portal(), inner)
        self.find: Final = SyncFinding(self._portal, inner.find)
        self.listeners: Final = SyncListeners(self._portal, inner.listeners)

    def __enter__(self) -> Self:
        self._portal.run(self._inner.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back what is consumed and close the connections. Closing twice is harmless."""
        if not self._portal.closed:
            try:
                self._portal.run(self._inner.aclose())
            finally:
                self._portal.close()

    def queue(self, name: str, *, timeout: float | None = None) -> SyncQueue:
        """Return a queue, without asking whether it is there. ``timeout`` is for its requests."""
        return SyncQueue(self._portal, self._inner.queue(name, timeout=timeout))

    queues = each(Client.queues)
    ping = waits(Client.ping)
    usage = waits(Client.usage)
    request = waits(Client.request)
