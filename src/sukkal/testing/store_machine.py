"""Random histories: any engine against the one in memory.

The machine draws from what matters: messages that are held, claims that live and claims that have just ended, and
times at the edges of leases, delays and expiries, one millisecond before and after. Both engines get the same calls at
the same times and must give the same answers; sweeps and restarts in between must change none.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sukkal.engines.memory import MemoryEngine
from sukkal.errors import SukkalError
from sukkal.model import (
    Ack,
    HeldClaim,
    Idle,
    Message,
    NewClaim,
    NewMessage,
    Once,
    Page,
    Position,
    Post,
    QueueKey,
    RecordKey,
    Release,
    Settlement,
    View,
)
from sukkal.store import Engine
from sukkal.testing.outcomes import comparable, outcome

__all__ = ["StoreMachine", "store_machine"]

T = TypeVar("T")

_KEYS = (
    QueueKey("p1", "a"),
    QueueKey("p1", "b"),
    QueueKey("p2", "a"),
    QueueKey("p1", "a", "topic"),
    QueueKey("p1", "queue/a", "history"),
)
_CLIENTS = ("", "client-1", "client-2")
_keys = st.sampled_from(_KEYS)
_records = st.builds(RecordKey, st.just("kind"), st.sampled_from(("p1", "p2")), st.sampled_from(("a", "b")))
_ttls = st.sampled_from((1, 5, 7, 60, 61, 300, 3600, 4321))
_delays = st.sampled_from((0, 0, 0, 2, 60))
_message_keys = st.sampled_from((None, None, None, b"x", b"y"))
_shapes = st.tuples(_ttls, _delays, _message_keys)
_graces = st.sampled_from((0, 1, 60))
_limits = st.integers(1, 4)
_settlements: st.SearchStrategy[Any] = st.sampled_from((Ack(), Release(), Release(delay_s=3), Release(revive=True)))
_EVERYTHING: Final = View(claimed=True, delayed=True)
_views = st.builds(View, claimed=st.booleans(), delayed=st.booleans(), not_from=st.sampled_from((None, "client-1")))


class StoreMachine(RuleBasedStateMachine):
    """Compares an engine with the oracle step by step. Subclasses are made by ``store_machine``."""

    make_engine: Callable[[Path], Engine]
    durable: bool

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = Path(tempfile.mkdtemp(prefix="sukkal-machine-"))
        self.oracle = MemoryEngine()
        self.engine = type(self).make_engine(self.directory)
        self.now_ms = 1_000_000
        self.numbers = count(1)
        self.edges: set[int] = set()
        self.waiting: dict[QueueKey, tuple[Page, Page]] = {}
        self.idle: dict[QueueKey, list[Idle]] = {}
        self.known_ids: list[str] = []
        self.claims: list[tuple[QueueKey, str]] = []
        self.runner.run(self._start())

    async def _start(self) -> None:
        await self.oracle.start()
        await self.engine.start()

    def teardown(self) -> None:
        """End both engines."""
        self.runner.run(self.engine.close())
        self.runner.close()
        shutil.rmtree(self.directory)

    # -- the same call to both

    def both(self, call: Callable[[Engine], Awaitable[T]]) -> T | type[SukkalError]:
        """Make a call of both engines, compare the outcomes, and return the oracle's."""
        expected = self.runner.run(outcome(call(self.oracle)))
        actual = self.runner.run(outcome(call(self.engine)))
        assert comparable(actual) == comparable(expected)
        return expected

    def new_id(self) -> str:
        """Return an id that was not used yet."""
        return f"id-{next(self.numbers):06d}"

    def note_edges(self, *times_ms: int) -> None:
        """Remember moments at which something changes by itself."""
        for time_ms in times_ms:
            self.edges.update((time_ms - 1, time_ms, time_ms + 1))

    # -- time

    @rule(ms=st.sampled_from((1, 999, 1_000, 59_999, 60_000)))
    def let_time_pass(self, ms: int) -> None:
        """Move on by a customary length."""
        self.now_ms += ms

    @precondition(lambda self: any(edge > self.now_ms for edge in self.edges))
    @rule(data=st.data())
    def go_to_an_edge(self, data: st.DataObject) -> None:
        """Move on to a moment at which something changes, or to just before or after it."""
        self.now_ms = data.draw(st.sampled_from(sorted(edge for edge in self.edges if edge > self.now_ms)))

    # -- queues

    @rule(key=_keys, size=st.integers(0, 3), right=st.booleans(), gap=st.booleans())
    def put_queue(self, key: QueueKey, size: int, right: bool, gap: bool) -> None:
        """Write metadata, with a revision that is right or wrong."""
        queue = self.runner.run(self.oracle.get_queue(key))
        revision = queue.revision if queue else None
        if not right:
            revision = 7 if revision is None else None
        metadata = {f"k{number}": number for number in range(size)}
        self.both(lambda store: store.put_queue(key, metadata, revision=revision, now_ms=self.now_ms, gap=gap))

    @rule(key=_keys, contents_only=st.booleans())
    def delete_queue(self, key: QueueKey, contents_only: bool) -> None:
        """Remove a queue or its contents."""
        self.both(lambda store: store.delete_queue(key, contents_only=contents_only))

    @rule(key=_keys)
    def find_idle(self, key: QueueKey) -> None:
        """Remember a queue as it is, to remove it later if it is still so."""
        queue = self.runner.run(self.oracle.get_queue(key))
        if queue is not None:
            pages = self.runner.run(self._places(key))
            self.idle[key] = [Idle(revision=queue.revision, last=page.last) for page in pages]

    @precondition(lambda self: self.idle)
    @rule(data=st.data())
    def delete_idle(self, data: st.DataObject) -> None:
        """Remove a queue that was found idle, if it is still so."""
        key = data.draw(st.sampled_from(sorted(self.idle)))
        oracles, engines = self.idle[key]
        self.both(
            lambda store: store.delete_queue(key, idle=oracles if store is self.oracle else engines, now_ms=self.now_ms)
        )

    @rule(project=st.sampled_from(("p1", "p2", "p3")), after=st.sampled_from(("", "a")), limit=_limits)
    def list_queues(self, project: str, after: str, limit: int) -> None:
        """List queues."""
        self.both(lambda store: store.list_queues(project, "queue", after=after, limit=limit, total=True))

    # -- messages

    @rule(key=_keys, shapes=st.lists(_shapes, min_size=1, max_size=5), client=st.sampled_from(_CLIENTS))
    def publish(self, key: QueueKey, shapes: list[tuple[int, int, bytes | None]], client: str) -> None:
        """Post new messages."""
        messages = tuple(
            NewMessage(
                id=self.new_id(), body=b"%d" % number, ttl_s=ttl_s, delay_s=delay_s, client=client, key=message_key
            )
            for number, (ttl_s, delay_s, message_key) in enumerate(shapes)
        )
        self.known_ids += [message.id for message in messages]
        for message in messages:
            self.note_edges(self.now_ms + message.ttl_s * 1_000, self.now_ms + message.delay_s * 1_000)
        self.both(lambda store: store.publish((Post(key, messages),), now_ms=self.now_ms))

    @precondition(lambda self: self.known_ids)
    @rule(data=st.data(), keys=st.lists(_keys, min_size=1, max_size=2, unique=True))
    def publish_again(self, data: st.DataObject, keys: list[QueueKey]) -> None:
        """Post ids that some queue may have already, to one queue or to two at once."""
        id_ = data.draw(st.sampled_from(self.known_ids))
        posts = tuple(Post(key, (NewMessage(id=id_, body=b'"again"', ttl_s=60, attributes=b"{}"),)) for key in keys)
        self.note_edges(self.now_ms + 60_000)
        self.both(lambda store: store.publish(posts, now_ms=self.now_ms))

    @rule(key=_keys, name=st.sampled_from(("x", "y")), fingerprint=st.sampled_from((b"1", b"2")))
    def publish_once(self, key: QueueKey, name: str, fingerprint: bytes) -> None:
        """Post under an idempotency key."""
        once = Once(key=name, fingerprint=fingerprint, expires_ms=self.now_ms + 30_000)
        message = NewMessage(id=self.new_id(), body=b"1", ttl_s=60)
        self.known_ids.append(message.id)
        self.note_edges(self.now_ms + 30_000, self.now_ms + 60_000)
        self.both(lambda store: store.earlier(key, (once,), now_ms=self.now_ms))
        self.both(lambda store: store.publish((Post(key, (message,)),), now_ms=self.now_ms, once=once))

    @precondition(lambda self: self.known_ids)
    @rule(data=st.data(), key=_keys, claimed=st.booleans())
    def delete_messages(self, data: st.DataObject, key: QueueKey, claimed: bool) -> None:
        """Delete messages by id."""
        ids = data.draw(st.lists(st.sampled_from(self.known_ids[-20:]), min_size=1, max_size=3))
        self.both(lambda store: store.delete_messages(key, ids, now_ms=self.now_ms, claimed=claimed))

    @precondition(lambda self: self.known_ids)
    @rule(data=st.data(), key=_keys)
    def get_messages(self, data: st.DataObject, key: QueueKey) -> None:
        """Get messages by id."""
        ids = data.draw(st.lists(st.sampled_from(self.known_ids[-20:]), min_size=1, max_size=5))
        self.both(lambda store: store.get_messages(key, ids, now_ms=self.now_ms))

    @rule(key=_keys, view=_views, limit=_limits)
    def browse_all(self, key: QueueKey, view: View, limit: int) -> None:
        """Walk a view to its end; how it is cut into pages is each engine's own affair."""

        async def walk(store: Engine) -> list[Message]:
            found: list[Message] = []
            after: Position | None = None
            while True:
                page: Page = await store.browse(key, after=after, limit=limit, view=view, now_ms=self.now_ms)
                assert len(page.messages) <= limit
                found += page.messages
                if page.next is None:
                    return found
                assert after is None or page.next > after
                after = page.next

        self.both(walk)

    @rule(key=_keys)
    def listen_to_nothing(self, key: QueueKey) -> None:
        """Remember a place at a queue that does not exist."""
        self.waiting[key] = self.runner.run(self._places(key))

    async def _places(self, key: QueueKey) -> tuple[Page, Page]:
        pages = [
            await store.browse(key, after=None, limit=1, view=_EVERYTHING, now_ms=self.now_ms)
            for store in (self.oracle, self.engine)
        ]
        return pages[0], pages[1]

    @invariant()
    def what_was_given_up_is_known(self) -> None:
        """Compare whether the queues that somebody waits for were given up since."""
        for key, before in self.waiting.items():
            after = self.runner.run(self._places(key))
            since = [now.dropped <= then.last for then, now in zip(before, after, strict=True)]
            assert since[0] == since[1]

    @rule(key=_keys, seen=st.integers(0, 20))
    def come_back(self, key: QueueKey, seen: int) -> None:
        """Go on after some message that is there, and hear whether all that came after it is there too."""

        async def listen(store: Engine) -> list[bool]:
            page: Page = await store.browse(key, after=None, limit=seen + 1, view=_EVERYTHING, now_ms=self.now_ms)
            if len(page.messages) <= seen:
                return []
            page = await store.browse(key, after=page.next, limit=100, view=_EVERYTHING, now_ms=self.now_ms)
            return [page.complete]

        self.both(listen)

    # -- claims

    @rule(
        key=_keys,
        limit=_limits,
        ttl_s=_ttls,
        grace_s=_graces,
        max_attempts=st.sampled_from((None, None, 1, 2)),
        mode=st.sampled_from(("take", "take", "take", "set aside", "pop")),
    )
    def claim(self, key: QueueKey, limit: int, ttl_s: int, grace_s: int, max_attempts: int | None, mode: str) -> None:
        """Claim, pop, or take what was set aside."""
        new = NewClaim(id=self.new_id(), ttl_s=ttl_s, grace_s=grace_s)
        messages = self.both(
            lambda store: store.claim(
                key,
                new,
                limit=limit,
                now_ms=self.now_ms,
                max_attempts=max_attempts,
                set_aside=mode == "set aside",
                settle=mode == "pop",
            )
        )
        self.claims.append((key, new.id))
        self.note_edges(self.now_ms + ttl_s * 1_000, self.now_ms + (ttl_s + grace_s) * 1_000)
        assert isinstance(messages, tuple)
        assert len(messages) <= limit

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), end=st.booleans(), rest=_settlements, elsewhere=st.booleans())
    def settle(self, data: st.DataObject, end: bool, rest: Any, elsewhere: bool) -> None:
        """Settle messages of a claim that lives or has ended, and messages that it does not hold."""
        key, claim_id = data.draw(st.sampled_from(self.claims[-6:]))
        if elsewhere:
            key = data.draw(_keys)
        held = self.runner.run(self.oracle.get_claim(key, claim_id, now_ms=self.now_ms))
        ids = [message.id for message in held.messages] if isinstance(held, HeldClaim) else []
        candidates = [*ids, *self.known_ids[-4:]]
        chosen = data.draw(st.lists(st.sampled_from(candidates), max_size=3, unique=True)) if candidates else []
        settlements: dict[str, Settlement] = {id_: data.draw(_settlements) for id_ in chosen}
        self.note_edges(self.now_ms + 3_000)
        self.both(
            lambda store: store.settle(key, claim_id, settlements, now_ms=self.now_ms, rest=rest if end else None)
        )

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), ttl_s=_ttls, grace_s=_graces)
    def extend(self, data: st.DataObject, ttl_s: int, grace_s: int) -> None:
        """Extend a claim that lives or has ended."""
        key, claim_id = data.draw(st.sampled_from(self.claims[-6:]))
        self.note_edges(self.now_ms + ttl_s * 1_000, self.now_ms + (ttl_s + grace_s) * 1_000)
        self.both(lambda store: store.extend(key, claim_id, ttl_s=ttl_s, grace_s=grace_s, now_ms=self.now_ms))

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def get_claim(self, data: st.DataObject) -> None:
        """Look at a claim."""
        key, claim_id = data.draw(st.sampled_from(self.claims[-6:]))
        self.both(lambda store: store.get_claim(key, claim_id, now_ms=self.now_ms))

    # -- records

    @rule(key=_records, value=st.sampled_from((b"1", b"2")), lifetime_ms=st.sampled_from((None, 1, 5_000)))
    def put_record(self, key: RecordKey, value: bytes, lifetime_ms: int | None) -> None:
        """Put a record, new or in the place of another."""
        now_ms = self.now_ms
        expires_ms = None if lifetime_ms is None else now_ms + lifetime_ms
        if expires_ms is not None:
            self.note_edges(expires_ms)
        self.both(lambda store: store.put_record(key, value, now_ms=now_ms, expires_ms=expires_ms))

    @rule(key=_records)
    def delete_record(self, key: RecordKey) -> None:
        """Delete a record that may be there."""
        self.both(lambda store: store.delete_record(key, now_ms=self.now_ms))

    # -- what must change nothing

    @rule(limit=st.sampled_from((1, 3, 1_000)))
    def sweep_the_engine(self, limit: int) -> None:
        """Sweep one engine only."""
        self.runner.run(self.engine.sweep(now_ms=self.now_ms, limit=limit))

    @precondition(lambda self: self.durable)
    @rule()
    def restart_the_engine(self) -> None:
        """Close the engine and open its data again."""
        self.runner.run(self.engine.close())
        self.engine = type(self).make_engine(self.directory)
        self.runner.run(self.engine.start())

    @invariant()
    def all_answers_agree(self) -> None:
        """Compare what can be asked without knowing a name."""
        now_ms = self.now_ms
        ids = self.known_ids[-8:]
        for key in _KEYS:
            self.both(lambda store, key=key: store.get_messages(key, ids, now_ms=now_ms))  # type: ignore[misc]
            self.both(lambda store, key=key: store.get_queue(key))  # type: ignore[misc]
            self.both(lambda store, key=key: store.stats(key, now_ms=now_ms))  # type: ignore[misc]
            self.both(lambda store, key=key: store.next_due(key, now_ms=now_ms))  # type: ignore[misc]
            self.both(lambda store, key=key: store.list_claims(key, after="", limit=100, now_ms=now_ms))  # type: ignore[misc]
        self.both(lambda store: store.due_queues(now_ms=now_ms, limit=10))
        self.both(lambda store: store.usage("p1", now_ms=now_ms))
        self.both(lambda store: store.usage_of(_KEYS[0], now_ms=now_ms))
        self.both(lambda store: store.list_records("kind", None, after=("", ""), limit=100, now_ms=now_ms))


def store_machine(make_engine: Callable[[Path], Engine], *, durable: bool) -> type[StoreMachine]:
    """Return the machine for an engine; its ``TestCase`` is what a test runner runs.

    ``make_engine`` is given a directory of its own; with ``durable`` the machine restarts engines on the same one.
    """
    return type("EngineMachine", (StoreMachine,), {"make_engine": staticmethod(make_engine), "durable": durable})
