"""Subscriptions: standing orders for what is posted to a queue."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from sukkal import limits
from sukkal.errors import (
    InvalidBody,
    InvalidRequest,
    RevisionConflict,
    SubscriptionConflict,
    SubscriptionExists,
    SubscriptionNotFound,
)
from sukkal.model import QueueKey, Subscription, Usage
from sukkal.service.access import Caller
from sukkal.service.attributes import DISABLED, check_retry_policy
from sukkal.service.confirmations import Confirmations
from sukkal.service.heartbeats import Heartbeats
from sukkal.service.lenses import check_lens
from sukkal.service.listener_terms import check_listener
from sukkal.service.orders import GRANTED, Arrangements
from sukkal.service.paces import check_pace
from sukkal.service.pages import check_limit
from sukkal.service.quotas import Quotas
from sukkal.service.retries import check_schedule
from sukkal.service.senders import Senders
from sukkal.service.subscription_lists import Place, list_all
from sukkal.service.trusts import TRUST_ID
from sukkal.settings import Settings
from sukkal.store import Store

__all__ = ["Subscriptions", "shown_options"]

_SECRET: Final = ("_signing_secrets",)
_OURS: Final = (DISABLED, GRANTED)
_YEAR_10000_S: Final = 253_402_300_800
_MEMBERS: Final = ("subscriber", "ttl", "options")


class Subscriptions:
    """The operations on subscriptions."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        senders: Senders,
        confirmations: Confirmations,
        quotas: Quotas,
        arrangements: Arrangements,
        heartbeats: Heartbeats,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._settings = settings
        self._senders = senders
        self._confirmations = confirmations
        self._quotas = quotas
        self._arrangements = arrangements
        self._heartbeats = heartbeats
        self._now_ms = now_ms
        self.new_id = new_id

    async def create(self, key: QueueKey, document: Mapping[str, Any], orderer: Caller | None = None) -> Subscription:
        """Subscribe; the same again begins the time of the subscription that is there anew.

        Without an ``orderer`` there can be no subscriber that needs a right of the one who orders. Raises
        ``InvalidRequest``, ``SubscriptionConflict`` if the subscriber has another subscription there, ``Forbidden``
        and what else an arrangement may raise.
        """
        if not document.get("subscriber"):
            raise InvalidRequest("Missing parameter subscriber in body.")
        subscriber, options = document["subscriber"], _options(document.get("options", {}))
        ttl_s = self.lifetime_s(document.get("ttl", limits.SUBSCRIPTION_TTL_S_DEFAULT))
        self._check(subscriber, options)
        now_ms = self._now_ms()
        wanted = Subscription(
            id=self.new_id(),
            queue=key,
            subscriber=subscriber,
            ttl_s=ttl_s,
            options=options,
            confirmed=False,
            created_ms=now_ms,
            expires_ms=now_ms + ttl_s * limits.SECOND_MS,
            revision=1,
        )
        made = await self._put_new(wanted, orderer)
        await self._heartbeats.begin(made)
        if self._settings.require_confirmation and not made.confirmed:
            await self._confirmations.ask(made)
        return made

    async def _put_new(self, wanted: Subscription, orderer: Caller | None) -> Subscription:
        key, now_ms = wanted.queue, self._now_ms()
        present = await self._store.list_subscriptions(
            key, after="", limit=1, now_ms=now_ms, subscriber=wanted.subscriber
        )
        if present:
            return await self._renew(wanted, present[0], orderer)
        limited = self._quotas.limited(key.project)
        more = Usage(queues=int(await self._store.get_queue(key) is None), subscriptions=1)
        if limited:
            await self._quotas.take(key.project, more)
        try:
            return await self._arrange_and_put(wanted, None, orderer)
        except SubscriptionExists as error:
            return await self._renew(wanted, error.existing, orderer)
        finally:
            if limited:
                self._quotas.settle(key.project, more)

    async def _arrange_and_put(
        self, wanted: Subscription, present: Subscription | None, orderer: Caller | None
    ) -> Subscription:
        """Put a subscription with what its subscriber needs; undo what is not needed, or no longer."""
        arranged, new = await self._arrangements.begin(wanted, present, orderer)
        revision = None if present is None else present.revision
        try:
            made = await self._store.put_subscription(arranged, revision=revision, now_ms=self._now_ms())
        except BaseException:
            if new:
                await self._arrangements.end(arranged)
            raise
        if present is not None and made.options.get(GRANTED) != present.options.get(GRANTED):
            await self._arrangements.end(present)
        return made

    async def _renew(self, wanted: Subscription, existing: Subscription, orderer: Caller | None) -> Subscription:
        disabled = DISABLED in existing.options
        own = {name: value for name, value in existing.options.items() if name not in _OURS}
        if (wanted.ttl_s, dict(wanted.options)) != (existing.ttl_s, own):
            raise SubscriptionConflict(
                "Such subscription already exists.Subscriptions are unique by project + queue + subscriber URI. Its id "
                f"is {existing.id}; change it by PATCH."
            )
        renewed = replace(existing, created_ms=wanted.created_ms, expires_ms=wanted.expires_ms, options=own)
        if not disabled and renewed.expires_ms == existing.expires_ms:
            return existing
        try:
            return await self._arrange_and_put(renewed, existing, orderer)
        except RevisionConflict:
            return existing  # Somebody else does the same at this moment.

    async def list(self, key: QueueKey, *, marker: str, limit: int | None) -> tuple[Sequence[Subscription], int]:
        """Return the queue's subscriptions by id, and the time."""
        limit = check_limit(
            limit,
            self._settings.max_subscriptions_per_page,
            "Limit must be at least 1 and may not be greater than {}.",
        )
        now_ms = self._now_ms()
        return await self._store.list_subscriptions(key, after=marker, limit=limit, now_ms=now_ms), now_ms

    async def list_all(
        self, project: str, after: Place, *, limit: int | None
    ) -> tuple[Sequence[Subscription], Place | None]:
        """Return subscriptions of all queues and topics, and where the list goes on.

        What is looked at is bounded, so the list may be short and still go on.
        """
        limit = check_limit(
            limit,
            self._settings.max_subscriptions_per_page,
            "Limit must be at least 1 and may not be greater than {}.",
        )
        return await list_all(self._store, project, after, limit=limit, now_ms=self._now_ms())

    async def get(self, key: QueueKey, id_: str) -> tuple[Subscription, int]:
        """Return one subscription and the time. Raises ``SubscriptionNotFound``."""
        now_ms = self._now_ms()
        found = await self._store.list_subscriptions(key, after="", limit=1, now_ms=now_ms, ids=(id_,))
        if not found:
            raise SubscriptionNotFound(f"Subscription {id_} does not exist in queue {key.name}.")
        return found[0], now_ms

    async def change(self, key: QueueKey, id_: str, document: Mapping[str, Any], orderer: Caller | None = None) -> None:
        """Change the subscriber, the ttl (which begins anew) or the options.

        Raises ``SubscriptionNotFound``, ``InvalidBody``, ``SubscriptionConflict``, and what an arrangement may raise.
        """
        if not document:
            raise InvalidRequest("No subscription to create.")
        if not any(name in document for name in _MEMBERS):
            raise InvalidBody(f"A subscription has the members {', '.join(_MEMBERS)}; none of them is given.")

        def changed(present: Subscription, now_ms: int) -> Subscription:
            subscriber = document.get("subscriber", present.subscriber)
            kept = {name: present.options[name] for name in _SECRET if name in present.options}
            options = kept | _options(document["options"]) if "options" in document else dict(present.options)
            self._check(subscriber, options)
            if "ttl" not in document:
                return replace(present, subscriber=subscriber, options=options)
            ttl_s = self.lifetime_s(document["ttl"])
            ends_ms = now_ms + ttl_s * limits.SECOND_MS
            return replace(
                present, subscriber=subscriber, options=options, ttl_s=ttl_s, created_ms=now_ms, expires_ms=ends_ms
            )

        async def put(present: Subscription, now_ms: int) -> Subscription:
            return await self._arrange_and_put(changed(present, now_ms), present, orderer)

        await self._heartbeats.begin(await self._update(key, id_, put))

    async def confirm(self, key: QueueKey, id_: str, document: Mapping[str, Any]) -> None:
        """Confirm or refuse a subscription. Raises ``InvalidRequest``, ``SubscriptionNotFound``."""
        confirmed = document.get("confirmed")
        if not isinstance(confirmed, bool):
            raise InvalidRequest("The 'confirmed' should be boolean.")

        async def put(present: Subscription, now_ms: int) -> Subscription:
            wanted = replace(present, confirmed=confirmed)
            return await self._store.put_subscription(wanted, revision=present.revision, now_ms=now_ms)

        changed = await self._update(key, id_, put)
        if self._settings.require_confirmation and not confirmed:
            await self._confirmations.tell_of_the_end(changed)

    async def disable(self, subscription: Subscription, reason: str) -> None:
        """Deliver nothing more to a subscriber that wants nothing more."""

        async def put(present: Subscription, now_ms: int) -> Subscription:
            own = {name: value for name, value in present.options.items() if name not in _OURS}
            wanted = replace(present, options={**own, DISABLED: reason})
            disabled = await self._store.put_subscription(wanted, revision=present.revision, now_ms=now_ms)
            await self._arrangements.end(present)
            return disabled

        try:
            await self._update(subscription.queue, subscription.id, put)
        except SubscriptionNotFound:
            return

    async def delete(self, key: QueueKey, id_: str) -> None:
        """Delete a subscription with all that waits for its subscriber; one that does not exist is no error."""
        now_ms = self._now_ms()
        present = await self._store.list_subscriptions(key, after="", limit=1, now_ms=now_ms, ids=(id_,))
        await self._store.delete_subscription(key, id_)
        for subscription in present:
            await self._arrangements.end(subscription)

    async def purge(self, key: QueueKey) -> None:
        """Delete all subscriptions of a queue."""
        while found := await self._store.list_subscriptions(
            key, after="", limit=limits.PAGE_MAX, now_ms=self._now_ms()
        ):
            for subscription in found:
                await self._store.delete_subscription(key, subscription.id)
                await self._arrangements.end(subscription)

    async def arranged(self, key: QueueKey) -> Sequence[Subscription]:
        """Return the subscriptions of a queue for which something was arranged."""
        found: list[Subscription] = []
        after, now_ms = "", self._now_ms()
        while page := await self._store.list_subscriptions(
            key, after=after, limit=limits.SUBSCRIPTIONS_PER_POST, now_ms=now_ms
        ):
            found += [each for each in page if GRANTED in each.options]
            after = page[-1].id
        return found

    async def ended(self, subscriptions: Sequence[Subscription]) -> None:
        """Undo what was arranged for subscriptions that went with their queue."""
        for subscription in subscriptions:
            await self._arrangements.end(subscription)

    async def _update(
        self, key: QueueKey, id_: str, put: Callable[[Subscription, int], Awaitable[Subscription]]
    ) -> Subscription:
        for _ in range(limits.METADATA_RETRIES_MAX):
            present, now_ms = await self.get(key, id_)
            try:
                return await put(present, now_ms)
            except RevisionConflict:
                continue
            except SubscriptionExists as error:
                raise SubscriptionConflict(
                    f"The subscriber has another subscription of this queue already: {error.existing.id}."
                ) from None
        raise RevisionConflict(f"Subscription {id_} changes too fast. Try again.")

    def _check(self, subscriber: Any, options: Mapping[str, Any]) -> None:
        if not isinstance(subscriber, str) or len(subscriber) > limits.SUBSCRIBER_CHARS_MAX:
            raise InvalidRequest(f"The subscriber must be a URI of at most {limits.SUBSCRIBER_CHARS_MAX} characters.")
        if len(msgspec.json.encode(options)) > limits.SUBSCRIPTION_BYTES_MAX:
            raise InvalidRequest(f"Options may have at most {limits.SUBSCRIPTION_BYTES_MAX} bytes.")
        if (policy := options.get("_retry_policy")) is not None:
            check_retry_policy(policy)
        check_schedule(options)
        check_pace(options)
        check_lens(options)
        check_listener(options)
        self._senders.check(subscriber, options)

    def lifetime_s(self, given: Any) -> int:
        """Return how long a subscription is to last. Raises ``InvalidRequest``."""
        if not isinstance(given, int) or isinstance(given, bool):
            raise InvalidRequest("TTL must be an integer.")
        if given < limits.SUBSCRIPTION_TTL_S_MIN:
            raise InvalidRequest(
                f"The TTL for a subscription must be at least {limits.SUBSCRIPTION_TTL_S_MIN} seconds long."
            )
        if given + self._now_ms() // limits.SECOND_MS >= _YEAR_10000_S:
            raise InvalidRequest(
                "The TTL seconds for a subscription plus current time must be less than 9999-12-31 23:59:59.999999."
            )
        return given


def shown_options(subscription: Subscription) -> dict[str, Any]:
    """Return the options as they may be shown: secrets are only taken, never given, and what is arranged is ours."""
    hidden = (*_SECRET, GRANTED)
    shown = {name: value for name, value in subscription.options.items() if name not in hidden}
    trust_id = subscription.options.get(GRANTED, {}).get(TRUST_ID[1:])
    return shown if trust_id is None else {**shown, TRUST_ID: trust_id}


def _options(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise InvalidRequest("Options must be a dict.")
    if ours := [name for name in _OURS if name in given]:
        raise InvalidRequest(f"The option {ours[0]} is the service's own.")
    return given
