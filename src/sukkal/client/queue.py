"""A queue, as a program sees it."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from sukkal.client.asking import Asking, read, segment
from sukkal.client.claiming import Terms
from sukkal.client.consuming import Consumer, Handler, Open, Server
from sukkal.client.errors import MessagesMissed
from sukkal.client.exchange import Answer
from sukkal.client.held import HeldMessage
from sukkal.client.listening import Listening
from sukkal.client.nouns import Claim, Counts, Message, Posted, Reply, SignedUrl
from sukkal.client.refusals import NotFound
from sukkal.client.subscriptions import Subscriptions

__all__ = ["Queue"]

_CREATED: Final = 201
_DELETED_AT_ONCE: Final = 20
_PATCH: Final = {"Content-Type": "application/openstack-messaging-v2.0-json-patch"}


class Queue:
    """A queue of the project; nothing is asked for until a method is called. All times are in seconds.

    Every method raises ``ClientError``: ``Refused`` with the class of the service's error, or ``Unreachable`` when
    there was no answer in time.
    """

    def __init__(self, asking: Asking, name: str, open_: Open) -> None:
        self.name = name
        self.subscriptions: Final = Subscriptions(asking, name)
        self._asking = asking
        self._open = open_
        self._path = f"/v2/queues/{segment(name)}"

    async def create(self, metadata: Mapping[str, Any] | None = None) -> bool:
        """Make the queue, or give it these metadata; tell whether it is new."""
        return (await self._asking.ask("PUT", self._path, dict(metadata or {}))).status == _CREATED

    async def metadata(self) -> dict[str, Any]:
        """Return the metadata, those that were not given included."""
        return await self._asking.noun(dict[str, Any], self._path)

    async def update(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Set members of the metadata, and remove those that are ``None``; return all of them."""
        there = await self.metadata()
        patch: list[dict[str, Any]] = []
        for name, value in changes.items():
            path = f"/metadata/{name.replace('~', '~0').replace('/', '~1')}"
            if value is not None:
                patch.append({"op": "replace" if name in there else "add", "path": path, "value": value})
            elif name in there:
                patch.append({"op": "remove", "path": path})
        answer = await self._asking.ask("PATCH", self._path, patch, headers=_PATCH, repeatable=False)
        return read(dict[str, Any], answer)

    async def delete(self) -> None:
        """Delete the queue and all that is in it; one that is not there is no error."""
        await self._asking.do("DELETE", self._path)

    async def purge(self, *resource_types: str) -> None:
        """Delete all ``messages``, all ``subscriptions``, or by default both."""
        types = list(resource_types or ("messages", "subscriptions"))
        await self._asking.do("POST", f"{self._path}/purge", {"resource_types": types})

    async def stats(self) -> Counts:
        """Return how many messages there are; none if there is no such queue."""
        try:
            answer = await self._asking.ask("GET", f"{self._path}/stats")
        except NotFound:
            return Counts(claimed=0, free=0, total=0)
        return read(dict[str, Counts], answer)["messages"]

    async def post(self, body: Any, *, ttl: int | None = None, delay: int | None = None, key: str | None = None) -> str:
        """Post a message and return its id.

        ``key`` names the post: another one of the same name is the same post. Without one each call is a post of its
        own, however often it has to be sent.
        """
        posted = await self.post_many([body], ttl=ttl, delay=delay, key=key)
        return posted.ids[0] if posted.ids else ""

    async def post_many(
        self, bodies: Iterable[Any], *, ttl: int | None = None, delay: int | None = None, key: str | None = None
    ) -> Posted:
        """Post messages together: all of them or none."""
        given = {name: value for name, value in (("ttl", ttl), ("delay", delay)) if value is not None}
        return await self._post([{"body": body, **given} for body in bodies], key)

    async def post_request(
        self, body: Any, *, reply_to: str, correlation_id: str | None = None, ttl: int | None = None
    ) -> str:
        """Post a message whose reply is expected in the queue ``reply_to``, and return its id."""
        message: dict[str, Any] = {"body": body, "reply_to": reply_to}
        message |= {} if correlation_id is None else {"correlation_id": correlation_id}
        message |= {} if ttl is None else {"ttl": ttl}
        return (await self._post([message], None)).ids[0]

    async def post_events(self, events: Iterable[Mapping[str, Any]]) -> Posted:
        """Post CloudEvents; one whose source and id were there before is that one."""
        headers = {"Content-Type": "application/cloudevents-batch+json"}
        answer = await self._asking.ask("POST", f"{self._path}/events", list(events), headers=headers)
        return _posted(answer)

    async def ingest(self, document: Any) -> Posted:
        """Post a document; one that says the same as one before is that one."""
        return _posted(await self._asking.ask("POST", f"{self._path}/ingest", document))

    def messages(
        self,
        *,
        limit: int | None = None,
        echo: bool = True,
        include_claimed: bool = False,
        include_delayed: bool = False,
        filters: str | None = None,
    ) -> AsyncIterator[Message]:
        """Yield the messages that are there, oldest first, and take nothing. ``limit`` is how many are got at once.

        ``echo`` shows also what this client has posted; ``filters`` is a filter on events as a JSON document.
        """
        query = {"detailed": "true", "echo": _word(echo), "include_claimed": _word(include_claimed)}
        query |= {"include_delayed": _word(include_delayed)}
        query |= {} if limit is None else {"limit": str(limit)}
        query |= {} if filters is None else {"filter": filters}
        return self._asking.pages(Message, "messages", f"{self._path}/messages", query)

    async def get(self, message_id: str) -> Message:
        """Return a message."""
        return await self._asking.noun(Message, f"{self._path}/messages/{segment(message_id)}", detailed="true")

    async def delete_messages(self, *message_ids: str) -> None:
        """Delete messages, claimed or not; those that are not there are no error."""
        for begin in range(0, len(message_ids), _DELETED_AT_ONCE):
            query = {"ids": ",".join(message_ids[begin : begin + _DELETED_AT_ONCE])}
            await self._asking.do("DELETE", f"{self._path}/messages", query=query)

    async def pop(self, limit: int = 1) -> list[Message]:
        """Take the first messages out of the queue for good.

        They are lost if the answer is: ``consume`` loses nothing.
        """
        query = {"pop": str(limit), "detailed": "true"}
        answer = await self._asking.ask("DELETE", f"{self._path}/messages", query=query, repeatable=False)
        return read(dict[str, list[Message]], answer)["messages"]

    def claims(self) -> AsyncIterator[Claim]:
        """Yield the live claims, anybody's."""
        return self._asking.pages(Claim, "claims", f"{self._path}/claims")

    async def end_claim(self, claim_id: str) -> None:
        """End a claim, anybody's, and free what it holds."""
        await self._asking.do("DELETE", f"{self._path}/claims/{segment(claim_id)}")

    def consume(self, *, lease: int = 60, prefetch: int = 1, wait: int = 20, until_empty: bool = False) -> Consumer:
        """Take messages one after another: ``async for message in queue.consume()``.

        Each is acknowledged when the loop goes on, and given back when it is left. A consumer that dies holds nothing
        for longer than ``lease`` seconds (60 at least); they are renewed while it lives. It holds up to ``prefetch``
        messages at once. It goes on until it is left, or, if ``until_empty``, until nothing has come for ``wait``
        seconds (60 at most).
        """
        terms = Terms(lease=lease, prefetch=prefetch, wait=wait, until_empty=until_empty)
        return Consumer(self._asking, self._path, terms, self._open)

    @asynccontextmanager
    async def one(self, *, lease: int = 60, wait: int = 20) -> AsyncIterator[HeldMessage | None]:
        """Take one message: ``async with queue.one() as message``, or ``None`` if none comes within ``wait`` seconds.

        It is acknowledged at the end of the block, and given back when an exception leaves it. Raises ``LeaseLost``.
        """
        async with self.consume(lease=lease, wait=wait, until_empty=True) as consumer:
            message = await consumer.take()
            if message is None:
                yield None
                return
            async with message:
                yield message

    async def work(
        self,
        handler: Handler,
        *,
        at_once: int = 10,
        prefetch: int | None = None,
        lease: int = 60,
        wait: int = 20,
        until_empty: bool = False,
    ) -> None:
        """Have ``handler`` do the work of all messages, of ``at_once`` at a time, as ``consume`` would.

        What fails is logged and given back, with a delay that grows with each time, up to five minutes.
        """
        consumer = self.consume(lease=lease, prefetch=prefetch or at_once, wait=wait, until_empty=until_empty)
        await consumer.work(handler, at_once=at_once)

    async def call(self, body: Any, *, timeout: int = 30, ttl: int | None = None) -> Any:  # noqa: ASYNC109 - sent
        """Post a message and return the reply to it. Raises ``CallTimedOut`` without one in ``timeout`` seconds.

        It is not sent again when the answer is lost: the work may have been done.
        """
        document = {"body": body} if ttl is None else {"body": body, "ttl": ttl}
        query = {"timeout": str(timeout)}
        answer = await self._asking.ask(
            "POST", f"{self._path}/call", document, query=query, repeatable=False, wait_s=timeout
        )
        return read(Reply, answer).body

    async def serve(
        self, server: Server, *, at_once: int = 10, lease: int = 60, wait: int = 20, until_empty: bool = False
    ) -> None:
        """Reply to the calls that come, ``at_once`` of them at a time, with what ``server`` returns."""
        consumer = self.consume(lease=lease, prefetch=at_once, wait=wait, until_empty=until_empty)
        await consumer.serve(server, at_once=at_once)

    def listen(
        self,
        *,
        since: str | None = None,
        filters: Sequence[Mapping[str, Any]] | None = None,
        form: str | None = None,
        on_gap: Callable[[MessagesMissed], None] | None = None,
    ) -> Listening:
        """Hear what is posted, and take nothing: ``async for heard in queue.listen()``.

        ``since`` is the position of what was heard last; ``filters`` are those of subscriptions, ``form`` the format to
        hear events in. Raises ``MessagesMissed`` for what can be told no more, or calls ``on_gap``.
        """
        return Listening(self._asking, self.name, since=since, filters=filters, form=form, on_gap=on_gap)

    async def share(
        self, *, methods: Sequence[str] = ("GET",), paths: Sequence[str] = ("messages",), expires: str | None = None
    ) -> SignedUrl:
        """Sign rights to the queue, for whoever gets them. ``expires`` is a time such as ``2030-01-01T00:00:00``."""
        document: dict[str, Any] = {"methods": list(methods), "paths": list(paths)}
        document |= {} if expires is None else {"expires": expires}
        return read(SignedUrl, await self._asking.ask("POST", f"{self._path}/share", document))

    def shared(self) -> AsyncIterator[SignedUrl]:
        """Yield the signed URLs that are valid."""
        return self._asking.pages(SignedUrl, "signed_urls", f"{self._path}/share")

    async def unshare(self, signed_url_id: str) -> None:
        """Revoke a signed URL."""
        await self._asking.do("DELETE", f"{self._path}/share/{segment(signed_url_id)}")

    async def _post(self, messages: list[dict[str, Any]], key: str | None) -> Posted:
        headers = {"Idempotency-Key": key or self._asking.chance.name()}
        answer = await self._asking.ask("POST", f"{self._path}/messages", {"messages": messages}, headers=headers)
        return _posted(answer)


def _posted(answer: Answer) -> Posted:
    ids = tuple(str(each).rpartition("/")[2] for each in answer.member("resources", list))
    repeated = answer.headers.get("Idempotency-Replayed") == "true"
    return Posted(ids=ids, repeated=repeated, listeners=answer.document.get("listeners"))


def _word(flag: bool) -> str:
    return str(flag).lower()
