"""Operations on subscriptions and their deliveries."""

from typing import Final

from sukkal import limits
from sukkal.settings import Settings
from sukkal.transports.http.schemas.shape import (
    AGE,
    LINKS,
    TEXT,
    TTL,
    Schema,
    Shape,
    an_array,
    an_object,
    number,
    parameter,
)

__all__ = ["subscription_shapes"]

_OPTIONS: Final[Schema] = {"type": "object", "description": "What the kind of subscriber takes, and how to retry."}
_LIFE: Final = number(limits.SUBSCRIPTION_TTL_S_MIN, limits.INT64_MAX)
_COUNT: Final = number(0, limits.INT64_MAX)


_EXPLAIN: Final = Shape(
    query=(
        parameter("dry_run", number(1, limits.DRY_RUN_MESSAGES_MAX), "Try the filters on the last messages."),
        parameter("marker", TEXT, "Where the page begins: taken from a next link."),
        parameter("limit", number(1, limits.INT64_MAX), "Most subscriptions to explain."),
    ),
    body=an_object(body={}, message_id=TEXT, filters={"type": "array"}),
    body_required=True,
    answers={"200": ("Why.", {"type": "object"})},
)


_PROTOCOL_SETTINGS: Final = an_object(method=TEXT, headers={"type": "object"})
_CLOUD: Final = an_object(
    *("sink", "protocol"),
    id=TEXT,
    source=TEXT,
    types=an_array(TEXT),
    filters={"type": "array"},
    sink=TEXT,
    protocol=TEXT,
    protocolsettings=_PROTOCOL_SETTINGS,
    config=_OPTIONS,
)


# What was ordered in other words may have options of any form.
_SHOWN: Final = an_object("id", "sink", "protocol", "config", id=TEXT, sink=TEXT, protocol=TEXT, config=_OPTIONS)


def _cloud(settings: Settings) -> dict[str, Shape]:
    page = number(1, settings.max_subscriptions_per_page)
    return {
        "cloud_subscriptions.create": Shape(
            body=_CLOUD, body_required=True, answers={"201": ("Subscribed, or subscribed already.", _SHOWN)}
        ),
        "cloud_subscriptions.list": Shape(
            query=(
                parameter("marker", TEXT, "Where the page begins: taken from the header Link."),
                parameter("limit", page, "Most subscriptions to return."),
            ),
            answers={"200": ("A page of subscriptions.", an_array(_SHOWN))},
        ),
        "cloud_subscriptions.get": Shape(answers={"200": ("The subscription.", _SHOWN)}),
        "cloud_subscriptions.update": Shape(
            body=_CLOUD, body_required=True, answers={"200": ("The subscription as it is now.", _SHOWN)}
        ),
        "cloud_subscriptions.delete": Shape(answers={"200": ("The subscription as it was.", _SHOWN)}),
    }


def subscription_shapes(settings: Settings) -> dict[str, Shape]:
    """Return their shapes."""
    shown = an_object(
        *("id", "source", "subscriber", "ttl", "age", "options", "confirmed"),
        id=TEXT,
        source=TEXT,
        subscriber=TEXT,
        ttl=TTL,
        age=AGE,
        options=_OPTIONS,
        confirmed={"type": "boolean"},
    )
    wanted: dict[str, Schema] = {"subscriber": TEXT, "ttl": _LIFE, "options": _OPTIONS}
    path = "The path of the queue's subscriptions is in the Location header."
    return {
        "subscriptions.explain": _EXPLAIN,
        **_cloud(settings),
        "subscriptions.create": Shape(
            body=an_object("subscriber", **wanted),
            body_required=True,
            answers={
                "201": (
                    f"Subscribed, or subscribed already. {path}",
                    an_object("subscription_id", subscription_id=TEXT),
                )
            },
        ),
        "subscriptions.list": Shape(
            query=(
                parameter("marker", TEXT, "Id of the last subscription of the page before."),
                parameter("limit", number(1, settings.max_subscriptions_per_page), "Most subscriptions to return."),
            ),
            answers={
                "200": (
                    "A page of subscriptions.",
                    an_object("subscriptions", "links", subscriptions=an_array(shown), links=LINKS),
                )
            },
        ),
        "subscriptions.get": Shape(answers={"200": ("The subscription.", shown)}),
        "subscriptions.update": Shape(
            body=an_object(**wanted), body_required=True, answers={"204": (f"Changed. {path}", None)}
        ),
        "subscriptions.delete": Shape(answers={"204": ("Gone, with what waited for its subscriber.", None)}),
        "subscriptions.confirm": Shape(
            body=an_object("confirmed", confirmed={"type": "boolean"}),
            body_required=True,
            answers={"204": (f"Confirmed or refused. {path}", None)},
        ),
        **_delivery_shapes(),
    }


def _delivery_shapes() -> dict[str, Shape]:
    entry = an_object(
        *("id", "state", "attempts"),
        id=TEXT,
        state={"enum": ["waiting", "retrying", "dead", "delivered"]},
        attempts=_COUNT,
        status={"type": "integer"},
        error=TEXT,
        next_ms=_COUNT,
        at_ms=_COUNT,
    )
    ledger = an_object("deliveries", "dropped", deliveries=an_array(entry), dropped=_COUNT, paused_until_ms=_COUNT)
    outcome = an_object(
        "delivered",
        delivered={"type": "boolean"},
        status={"type": ["integer", "null"]},
        error=TEXT,
        retry_after_s={"type": ["integer", "null"]},
        gone={"type": "boolean"},
        permanent={"type": "boolean"},
        answer=TEXT,
    )
    return {
        "deliveries.list": Shape(
            query=(parameter("limit", number(1, limits.LEDGER_PAGE_MAX), "Most of each kind to return."),),
            answers={"200": ("The ledger.", ledger)},
        ),
        "deliveries.redrive": Shape(
            body=an_object(ids=an_array(TEXT)),
            answers={"200": ("How many are tried again.", an_object("redriven", redriven=_COUNT))},
        ),
        "deliveries.test": Shape(answers={"200": ("How the attempt ended.", outcome)}),
    }
