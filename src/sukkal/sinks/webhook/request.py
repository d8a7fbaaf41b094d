"""The one request that an attempt makes."""

import base64
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from yarl import URL

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.sink import Delivery
from sukkal.sinks import urls
from sukkal.sinks.notification import notification
from sukkal.sinks.webhook.headers import extra_headers
from sukkal.sinks.webhook.signing import secrets_of, signatures

__all__ = ["METHODS", "SCHEMES", "Request", "Target", "request", "target"]

SCHEMES: Final = ("http", "https")
METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")
_PLACE: Final = '"$zaqar_message$"'
_AGENT: Final = "Sukkal"


class Target(NamedTuple):
    """A subscriber and its options, found to be usable.

    ``url`` has no name and no password: those are in the ``headers``. ``secrets`` must not be shown.
    """

    url: URL
    method: str
    headers: Mapping[str, str]
    template: str | None
    signing: list[bytes]
    secrets: tuple[str, ...]


class Request(NamedTuple):
    """What is sent."""

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes


def target(subscriber: str, options: Mapping[str, Any]) -> Target:
    """Return how a subscriber wants its deliveries. Raises ``InvalidRequest``."""
    url = urls.parse(subscriber, SCHEMES)
    headers = extra_headers(options)
    secrets = [value for name, value in headers.items() if name != "content-type"]
    if url.raw_user is not None or url.raw_password is not None:
        if "authorization" in headers:
            raise InvalidRequest("subscriber has a name or password, and options.post_headers an Authorization too.")
        headers["authorization"] = _basic(url)
        secrets += [unquote(url.raw_password or ""), headers["authorization"]]
    # An Authorization that is echoed may come back without the word in front of it.
    secrets += [part for value in secrets for part in value.split()]
    return Target(
        url=url.with_user(None).with_fragment(None),
        method=_method(options),
        headers=headers,
        template=_template(options),
        signing=secrets_of(options),
        secrets=tuple(text for text in secrets if len(text) >= limits.SECRET_CHARS_MIN),
    )


def request(target: Target, delivery: Delivery) -> Request:
    """Return the request that brings a delivery."""
    message = notification(delivery)
    body = message
    headers = {"content-type": "application/json", "user-agent": _AGENT}
    if target.template is not None and not delivery.notice:
        body = target.template.encode().replace(_PLACE.encode(), message)
    else:
        headers["content-type"] = delivery.media_type or headers["content-type"]
    timestamp_s = delivery.now_ms // limits.SECOND_MS
    if delivery.trace is not None:
        headers |= delivery.trace.headers
    headers |= target.headers
    headers |= {"webhook-id": delivery.id, "webhook-timestamp": str(timestamp_s)}
    if target.signing:
        signed = signatures(target.signing, id_=delivery.id, timestamp_s=timestamp_s, body=body)
        headers["webhook-signature"] = signed
    return Request(target.method, target.url, headers, body)


def _basic(url: URL) -> str:
    pair = f"{unquote(url.raw_user or '')}:{unquote(url.raw_password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _method(options: Mapping[str, Any]) -> str:
    method = options.get("method", "POST")
    if not isinstance(method, str) or method.upper() not in METHODS:
        raise InvalidRequest(f"options.method must be one of {', '.join(METHODS)}.")
    return method.upper()


def _template(options: Mapping[str, Any]) -> str | None:
    template = options.get("post_data")
    if template is None or template == "":
        return None
    if not isinstance(template, str) or len(template) > limits.WEBHOOK_TEMPLATE_CHARS_MAX:
        raise InvalidRequest(
            f"options.post_data must be a text of at most {limits.WEBHOOK_TEMPLATE_CHARS_MAX} characters."
        )
    if template.count(_PLACE) > limits.WEBHOOK_TEMPLATE_PLACES_MAX:
        raise InvalidRequest(f"options.post_data has {_PLACE} more than {limits.WEBHOOK_TEMPLATE_PLACES_MAX} times.")
    try:
        template.encode()
    except UnicodeEncodeError:
        raise InvalidRequest("options.post_data has half of a surrogate pair.") from None
    return template
