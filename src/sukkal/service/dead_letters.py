"""Dead letters: what was claimed too often goes to another queue, with the reason.

A message's last permitted claim sets it aside, so nothing has to be looked for: queues with such messages are due, and
each message is published to its new queue by its own id and then settled in the old one. Dying between the two steps
repeats the first, which changes nothing.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sukkal import limits
from sukkal.errors import ClaimNotFound
from sukkal.model import Ack, Message, NewClaim, NewMessage, QueueKey, Release, Settlement
from sukkal.service.attributes import DeadLetters
from sukkal.service.letters import DeadLetter, Letters, further, letter, passed_by
from sukkal.service.waiting import Waiting
from sukkal.store import Store

__all__ = ["Burials"]

_log: Final = logging.getLogger("sukkal.dead_letters")


class Burials:
    """Moves exhausted messages; ``buried`` counts them."""

    def __init__(
        self,
        store: Store,
        letters: Letters,
        waiting: Waiting,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._letters = letters
        self._waiting = waiting
        self._now_ms = now_ms
        self._new_id = new_id
        self.buried = 0

    async def bury_due(self) -> None:
        """Move the exhausted messages of all queues that have some, a bounded number."""
        for key in await self._store.due_queues(now_ms=self._now_ms(), limit=limits.BURY_MESSAGES_MAX):
            await self.bury(key)

    async def bury(self, key: QueueKey) -> None:
        """Move a queue's exhausted messages, a bounded number of them."""
        now_ms = self._now_ms()
        claim = NewClaim(id=self._new_id(), ttl_s=limits.CLAIM_TTL_S_MIN, grace_s=limits.CLAIM_GRACE_S_MIN)
        messages = await self._store.claim(key, claim, limit=limits.BURY_MESSAGES_MAX, now_ms=now_ms, set_aside=True)
        if not messages:
            return
        queue = await self._store.get_queue(key)
        rule = DeadLetters(queue.metadata if queue else {})
        most = rule.max_attempts
        dead = [message for message in messages if most is not None and message.attempts >= most]
        settlements: dict[str, Settlement] = {message.id: Ack() for message in dead}
        for passed, letters in _letters(dead, key, rule).items():
            await self._letters.post(key._replace(name=rule.queue_name), letters, passed)
        self.buried += len(dead)
        try:
            # The others may be claimed again, since the queue's rule has changed.
            await self._store.settle(key, claim.id, settlements, now_ms=self._now_ms(), rest=Release(revive=True))
        except ClaimNotFound:
            _log.warning(
                "burying messages of queue %s of project %s took too long; they will be moved again",
                key.name,
                key.project,
            )
            return
        self._waiting.wake(key, len(messages) - len(dead))


def _letters(
    dead: Sequence[Message], origin: QueueKey, rule: DeadLetters
) -> Mapping[tuple[str, ...], Sequence[NewMessage]]:
    """Return what becomes of dead messages, by the queues that they have passed."""
    letters: defaultdict[tuple[str, ...], list[NewMessage]] = defaultdict(list)
    for message in dead:
        why = DeadLetter(reason="max_claim_count", queue=origin.name, claim_count=message.attempts)
        passed = further(passed_by(message), origin)
        letters[passed].append(letter(message, why, ttl_s=rule.ttl_s or message.ttl_s, passed=passed))
    return letters
