"""Event listeners: subscriptions that are ordered by what they wait for, in one call."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from sukkal import limits
from sukkal.errors import InvalidRequest, SubscriptionNotFound
from sukkal.model import QueueKey, Subscription
from sukkal.service.access import Caller
from sukkal.service.lenses import FILTERS, FORMAT, SOURCE, TYPES
from sukkal.service.listener_terms import LISTENER, Terms, filters_of_terms, read_terms, terms_of
from sukkal.service.names import queue_key
from sukkal.service.subscription_lists import Place, place_of
from sukkal.service.subscriptions import Subscriptions

__all__ = ["EventListener", "EventListeners"]

_TERMS: Final = Terms.__struct_fields__
_SETTINGS: Final = {"method": "method", "headers": "post_headers"}
_OTHERS: Final = ("url", "queue", "ttl", "format", "options", *_SETTINGS)
_OURS: Final = (LISTENER, FILTERS, SOURCE, TYPES, FORMAT, *_SETTINGS.values())
_MISTRAL: Final = "mistral"
_NOTIFICATIONS: Final = "notifications"
_NAME_BYTES: Final = 8


class EventListener(msgspec.Struct, frozen=True):
    """A listener: what it waits for, the URL that is called, how old it is, and the subscription that sees to it."""

    terms: Terms
    url: str
    age_s: int
    subscription: Subscription


class EventListeners:
    """The operations on event listeners."""

    def __init__(self, subscriptions: Subscriptions, now_ms: Callable[[], int]) -> None:
        self._subscriptions = subscriptions
        self._now_ms = now_ms

    async def create(self, project: str, document: Mapping[str, Any], orderer: Caller) -> EventListener:
        """Listen; the same again begins the time of the listener that is there anew.

        Raises ``InvalidRequest``, and what subscribing raises.
        """
        if unknown := [name for name in document if name not in (*_TERMS, *_OTHERS)]:
            raise InvalidRequest(f"A listener has no member {unknown[0]}; it has {', '.join((*_TERMS, *_OTHERS))}.")
        terms = read_terms({name: document[name] for name in _TERMS if name in document})
        order: dict[str, Any] = {
            "subscriber": _subscriber(document.get("url"), terms),
            "options": _options(document, terms),
        }
        if "ttl" in document:
            order["ttl"] = document["ttl"]
        _check_lifetime(terms, self._subscriptions.lifetime_s(document.get("ttl", limits.SUBSCRIPTION_TTL_S_DEFAULT)))
        made = await self._subscriptions.create(_key(project, document, terms), order, orderer)
        return _listener(made, terms, self._now_ms())

    async def list(
        self, project: str, after: Place, *, limit: int | None
    ) -> tuple[Sequence[EventListener], Place | None]:
        """Return listeners of all queues and topics, and where the list goes on.

        What is looked at is bounded, so the list may be short, even empty, and still go on.
        """
        found, more = await self._subscriptions.list_all(project, after, limit=limit)
        now_ms = self._now_ms()
        return [_listener(each, terms, now_ms) for each in found if (terms := terms_of(each.options))], more

    async def get(self, project: str, id_: str) -> EventListener:
        """Return one listener. Raises ``SubscriptionNotFound``."""
        kind, name, own_id = place_of(id_)
        subscription, now_ms = await self._subscriptions.get(QueueKey(project, name, kind), own_id)
        terms = terms_of(subscription.options)
        if terms is None:
            raise SubscriptionNotFound(f"Subscription {id_} is no listener.")
        return _listener(subscription, terms, now_ms)

    async def delete(self, project: str, id_: str) -> None:
        """End a listener. Raises ``SubscriptionNotFound``."""
        subscription = (await self.get(project, id_)).subscription
        await self._subscriptions.delete(subscription.queue, subscription.id)


def _listener(subscription: Subscription, terms: Terms, now_ms: int) -> EventListener:
    url, _, _ = subscription.subscriber.partition("#")
    return EventListener(terms, url, max(now_ms - subscription.created_ms, 0) // limits.SECOND_MS, subscription)


def _check_lifetime(terms: Terms, ttl_s: int) -> None:
    if terms.heartbeat is not None and terms.heartbeat.within >= ttl_s:
        raise InvalidRequest(
            f"heartbeat.within is {terms.heartbeat.within} seconds, but the listener ends before, after {ttl_s}: "
            "give it a longer ttl."
        )


def _key(project: str, document: Mapping[str, Any], terms: Terms) -> QueueKey:
    name = document.get("queue", _NOTIFICATIONS if terms.resource is not None else _MISTRAL)
    if not isinstance(name, str):
        raise InvalidRequest("queue must be the name of a queue.")
    return queue_key(project, name, "queue")


def _subscriber(url: Any, terms: Terms) -> str:
    """Return the URL with a fragment, which is not sent, by which several listeners may have the same URL."""
    if not isinstance(url, str) or "://" not in url:
        raise InvalidRequest("url must be the URL that is called.")
    if "#" in url:
        raise InvalidRequest("url must have no fragment, which begins with #.")
    waits_for = msgspec.json.encode(replace(terms, heartbeat=None))
    return f"{url}#{hashlib.sha256(waits_for).hexdigest()[: 2 * _NAME_BYTES]}"


def _options(document: Mapping[str, Any], terms: Terms) -> dict[str, Any]:
    options = document.get("options", {})
    if not isinstance(options, dict):
        raise InvalidRequest("options must be an object.")
    if taken := [name for name in _OURS if name in options]:
        raise InvalidRequest(f"options.{taken[0]} is decided by the listener's other members.")
    settings = {option: document[name] for name, option in _SETTINGS.items() if name in document}
    return {
        **options,
        **settings,
        FORMAT: document.get("format", "cloudevents"),
        FILTERS: filters_of_terms(terms),
        LISTENER: msgspec.to_builtins(terms),
    }
