"""The storage contract: what every engine keeps, and keeps to.

Laws, tested by ``sukkal.testing`` on every engine:

* **Atomic.** A call takes effect as a whole or not at all, also when the process or the machine dies in the middle.
* **Durable on return.** What a call has written is still there after a crash that follows its return.
* **Linear.** Calls take effect one after another, each between its start and its return; a read sees all that
  returned before it began.
* **Pure in time and names.** An engine reads no clock and makes no ids. Every answer is exact for the ``now_ms`` it is
  given: a lease or a message has ended at its time, whether or not a sweep has been there.
* **Bounded.** The cost of a call grows with its own limit and arguments, not with what lies claimed, delayed, expired
  or deleted in the queue or beside it. ``stats``, ``usage`` and ``list_queues(total=True)`` count, and are linear in
  what they count. Messages with unusual lifetimes may cost more until they have been swept (see the engine's notes).
* **Apart.** Nothing of one queue key is ever visible or changeable through another.
* **Fenced.** A claim that has ended settles and extends nothing; a message is held by at most one live claim.
* **Ours.** A call raises only errors of ``sukkal.errors``, and a call that raises has changed nothing. The exception is
  ``StoreUnavailable``, after which the effect is unknown.

An engine also keeps control records, counts what a project has, and remembers acts of publishing by name, under the
same laws: see ``records``, ``accounts`` and ``repetitions``. Rules (defaults, limits, dead letters, who may do what)
are not the store's: see ``service``.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from sukkal.accounts import Accounts
from sukkal.model import (
    Claim,
    Deleted,
    HeldClaim,
    Idle,
    Message,
    NewClaim,
    Once,
    Page,
    Position,
    Post,
    Published,
    Queue,
    QueueKey,
    QueueKind,
    QueueList,
    Settled,
    Settlement,
    Stats,
    Subscription,
    Swept,
    View,
)
from sukkal.records import Records
from sukkal.repetitions import Repetitions

__all__ = ["Engine", "Shared", "Store"]


class Store(Protocol):
    """The data plane."""

    # -- queues

    async def put_queue(
        self, key: QueueKey, metadata: Mapping[str, Any], *, revision: int | None, now_ms: int, gap: bool = False
    ) -> Queue:
        """Create the queue, or replace its metadata.

        ``revision`` is that of the queue as the caller read it, ``None`` if it did not exist. Raises
        ``RevisionConflict`` when that is no longer so. With a ``gap`` every page after an older place is incomplete
        from then on, as if a message had come and gone; the messages that are there stay.
        """

    async def get_queue(self, key: QueueKey) -> Queue | None:
        """Return the queue, or ``None``."""

    async def list_queues(
        self, project: str, kind: QueueKind, *, after: str, limit: int, total: bool = False
    ) -> QueueList:
        """Return up to ``limit`` queues with names greater than ``after``, ascending; ``total`` counts all of them."""

    async def delete_queue(
        self, key: QueueKey, *, contents_only: bool = False, idle: Idle | None = None, now_ms: int = 0
    ) -> bool:
        """Remove the queue with its messages and claims, at a cost that does not depend on their number.

        ``contents_only`` keeps the queue and its metadata. A queue that does not exist is no error; returns whether
        something was removed. A queue that was found ``idle`` stays if that is no longer so: if its metadata have
        changed, something was posted to it, even if that is gone already, a live claim still holds something, or it has
        a subscription. Where a hundred claims live and more, it may stay although they hold nothing.
        """

    # -- messages

    async def publish(self, posts: Sequence[Post], *, now_ms: int, once: Once | None = None) -> Published:
        """Store messages in all the named queues at once, creating queues that do not exist.

        A message whose id the queue already holds is left as it is. One with a key takes the place of those in the
        same queue, also of this call, that have the same one, that no live claim holds and that are not set aside. With
        ``once``, a repetition stores nothing and returns the ids that the first of the posts had the first time, and
        those of no other: what is kept to know a repetition does not grow with the copies. The same key with another
        fingerprint raises ``IdempotencyConflict``.
        """

    async def browse(self, key: QueueKey, *, after: Position | None, limit: int, view: View, now_ms: int) -> Page:
        """Return up to ``limit`` live messages of the view after a position, without changing anything.

        The free view is ordered by (``visible_ms``, ``sequence``), the others by ``sequence``. Expired and claimed
        messages in front of the free view cost nothing; for the other views what is scanned is bounded, so a page
        may be short.
        """

    async def get_messages(self, key: QueueKey, ids: Sequence[str], *, now_ms: int) -> tuple[Message, ...]:
        """Return those of the messages that are live, in the order of ``ids``."""

    async def delete_messages(
        self, key: QueueKey, ids: Sequence[str], *, now_ms: int, claimed: bool
    ) -> Mapping[str, Deleted]:
        """Delete messages by id; claimed ones only if ``claimed`` is true."""

    # -- claims

    async def claim(
        self,
        key: QueueKey,
        claim: NewClaim,
        *,
        limit: int,
        now_ms: int,
        max_attempts: int | None = None,
        set_aside: bool = False,
        settle: bool = False,
    ) -> tuple[Message, ...]:
        """Take the first ``limit`` free messages and return them as they are afterwards.

        Nothing is created when nothing is free. ``attempts`` grows by one; a message claimed for the
        ``max_attempts``-th time is *set aside* and never found by an ordinary claim or the free view again. A
        message met with that many attempts already is set aside instead of being taken. ``set_aside`` takes exactly
        those, without counting an attempt. With ``settle`` the messages are deleted in the same step and no claim
        remains.

        A message that would expire before the claim lives on until the claim's end plus its grace, and its ``ttl_s``
        becomes the sum of both.
        """

    async def get_claim(self, key: QueueKey, claim_id: str, *, now_ms: int) -> HeldClaim | None:
        """Return a live claim with the messages it still holds, or ``None``."""

    async def list_claims(self, key: QueueKey, *, after: str, limit: int, now_ms: int) -> tuple[Claim, ...]:
        """Return up to ``limit`` live claims with ids greater than ``after``, ascending."""

    async def extend(self, key: QueueKey, claim_id: str, *, ttl_s: int, grace_s: int, now_ms: int) -> None:
        """Begin a live claim's time anew, for the messages it still holds. Raises ``ClaimNotFound``."""

    async def settle(
        self,
        key: QueueKey,
        claim_id: str,
        settlements: Mapping[str, Settlement],
        *,
        now_ms: int,
        rest: Settlement | None = None,
    ) -> Mapping[str, Settled]:
        """Acknowledge or release messages that a live claim holds; others are reported and untouched.

        ``rest`` settles everything else the claim holds and ends the claim. Raises ``ClaimNotFound``.
        """

    # -- subscriptions
    #
    # A backlog exists as long as its subscription: when that has expired, no call that is given a time finds anything
    # in the backlog, and nothing comes back with a later subscription of the same id.

    async def put_subscription(self, subscription: Subscription, *, revision: int | None, now_ms: int) -> Subscription:
        """Create the subscription with its backlog, and its queue if need be; or replace it."""

    async def list_subscriptions(
        self,
        key: QueueKey,
        *,
        after: str,
        limit: int,
        now_ms: int,
        ids: Sequence[str] | None = None,
        subscriber: str | None = None,
    ) -> tuple[Subscription, ...]:
        """Return live subscriptions of a queue by id, of those with one of ``ids`` and with ``subscriber`` if given."""

    async def delete_subscription(self, key: QueueKey, subscription_id: str) -> bool:
        """Remove a subscription with its backlog and tell whether there was one."""

    # -- the whole

    async def stats(self, key: QueueKey, *, now_ms: int) -> Stats:
        """Count the queue's live messages; zeros for a queue that does not exist. Set-aside ones count as free."""

    async def sweep(self, *, now_ms: int, limit: int) -> Swept:
        """Remove up to about ``limit`` rows that can no longer be seen. It changes no answer of any other call."""

    async def due_queues(
        self, *, now_ms: int, limit: int, backlogs: bool = False, after: QueueKey | None = None
    ) -> tuple[QueueKey, ...]:
        """Return up to ``limit`` queues that have set-aside messages free to be taken, or backlogs with free ones.

        ``after`` goes on behind a backlog, in the order of the engine; behind one that is gone it begins anew.
        """

    async def next_due(self, key: QueueKey, *, now_ms: int) -> int | None:
        """Return when the next delayed or claimed message becomes free, in ms, or ``None``. It may be too early."""


@runtime_checkable
class Shared(Protocol):
    """What an engine also offers that several processes share.

    It is never what correctness of what is stored rests on: a hint may come late, twice, or not at all.
    """

    def hints(
        self, tell: Callable[[Collection[QueueKey] | None], None], hear: Callable[[bytes], None] | None = None
    ) -> None:
        """Have ``tell`` called with queues that another process has posted to or given messages back in.

        It is called on the event loop, soon after that was committed, with ``None`` if it may have been any queue.
        ``hear`` is called with what other processes say. To be asked for once, after ``start``.
        """

    async def say(self, what: bytes) -> None:
        """Say something to all other processes that listen now; nothing is kept. Raises ``StoreUnavailable``."""

    async def clock_ms(self) -> int:
        """Return what time it is where the data is, the same for all processes."""


class Engine(Store, Records, Accounts, Repetitions, Protocol):
    """All that an engine keeps, with a life of its own, as the composition root sees it."""

    async def start(self) -> None:
        """Open and migrate the data. Raises ``StartupError``."""

    async def close(self) -> None:
        """Finish the writes that were taken, then let go of everything."""

    def stalled_ms(self, now_ms: int) -> int:
        """Return for how long the oldest write that waits has waited without any commit, 0 if none waits."""
