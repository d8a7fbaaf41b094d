"""Subscriptions in the words of the CloudEvents Subscriptions API."""

from collections.abc import Mapping
from typing import Any, Final

from sukkal.errors import InvalidRequest
from sukkal.model import QueueKey, Subscription
from sukkal.service.lenses import FILTERS, FORMAT, SOURCE, TYPES
from sukkal.service.names import queue_key
from sukkal.service.subscription_lists import KINDS, id_of
from sukkal.service.subscriptions import shown_options

__all__ = ["key_in", "order_in", "view"]

_PROTOCOLS: Final = {
    **dict.fromkeys(("http", "https", "trust+http", "trust+https"), "HTTP"),
    **dict.fromkeys(("amqp", "amqps"), "AMQP091"),
}
_SELECTING: Final = (SOURCE, TYPES, FILTERS)
_SETTINGS: Final = {"method": "method", "headers": "post_headers"}


def key_in(document: Mapping[str, Any], project: str, default: QueueKey | None = None) -> QueueKey:
    """Return the queue that a document's config names, or the default. Raises ``InvalidRequest``, ``InvalidName``."""
    config = _object(document, "config")
    named = [(kind, config[kind]) for kind in KINDS if kind in config]
    if default is not None and not named:
        return default
    if len(named) != 1 or not isinstance(named[0][1], str):
        raise InvalidRequest("config must name either a queue or a topic.")
    [(kind, name)] = named
    return queue_key(project, name, kind)


def order_in(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the subscriber, the ttl and the options that a document asks for. Raises ``InvalidRequest``."""
    sink = document.get("sink")
    if not isinstance(sink, str) or not sink:
        raise InvalidRequest("sink must be the URI to which events are sent.")
    protocol = _protocol(sink)
    if document.get("protocol") != protocol:
        raise InvalidRequest(f"protocol must be {protocol} for such a sink.")
    if document.get("sinkcredential") is not None:
        raise InvalidRequest("sinkcredential is not taken; with HTTP, protocolsettings.headers may have credentials.")
    config = _object(document, "config")
    options = {FORMAT: "cloudevents"} | {name: value for name, value in config.items() if name not in (*KINDS, "ttl")}
    if taken := [name for name in (*_SELECTING, *_SETTINGS.values()) if name in options]:
        raise InvalidRequest(f"config.{taken[0]} has a place of its own outside of config.")
    if options[FORMAT] is None:
        del options[FORMAT]
    options |= {name: document[name] for name in _SELECTING if document.get(name) is not None}
    options |= _settings(_object(document, "protocolsettings"), protocol)
    order = {"subscriber": sink, "options": options}
    return order | ({"ttl": config["ttl"]} if "ttl" in config else {})


def view(subscription: Subscription) -> dict[str, Any]:
    """Return a subscription as it is shown."""
    options = shown_options(subscription)
    protocol = _protocol(subscription.subscriber)
    shown: dict[str, Any] = {"id": id_of(subscription)}
    shown |= {name: options.pop(name) for name in _SELECTING if name in options}
    shown |= {"sink": subscription.subscriber, "protocol": protocol}
    if protocol == "HTTP":
        settings = {name: options.pop(option) for name, option in _SETTINGS.items() if option in options}
        shown |= {"protocolsettings": settings} if settings else {}
    form = options.pop(FORMAT, None)
    config = {subscription.queue.kind: subscription.queue.name, "ttl": subscription.ttl_s, **options}
    shown["config"] = config if form == "cloudevents" else config | {FORMAT: form}
    return shown


def _protocol(sink: str) -> str:
    scheme = sink.partition(":")[0].lower()
    return _PROTOCOLS.get(scheme, scheme.upper())


def _settings(given: Mapping[str, Any], protocol: str) -> dict[str, Any]:
    if unknown := [name for name in given if protocol != "HTTP" or name not in _SETTINGS]:
        raise InvalidRequest(f"protocolsettings.{unknown[0]} is none of the settings of {protocol}.")
    return {_SETTINGS[name]: value for name, value in given.items()}


def _object(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest(f"{name} must be an object.")
    return value
