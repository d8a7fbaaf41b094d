"""Operations on queues, and those on nothing in particular."""

from sukkal.settings import Settings
from sukkal.transports.http.schemas.shape import (
    ANY,
    FLAG,
    LINKS,
    TEXT,
    Shape,
    an_array,
    an_object,
    number,
    parameter,
    ref,
)

__all__ = ["queue_shapes", "root_shapes"]


def root_shapes() -> dict[str, Shape]:
    """Return the shapes of those on nothing in particular."""
    return {
        "home.get": Shape(
            answers={"200": ("The resources of this version.", {"type": "object"})},
            answer_type="application/json-home",
        ),
        "ping.get": Shape(answers={"204": ("The service answers.", None)}),
        "ping.head": Shape(answers={"204": ("The service answers.", None)}),
        "health.get": Shape(answers={"200": ("What works and how long it took.", {"type": "object"})}),
    }


def queue_shapes(settings: Settings) -> dict[str, Shape]:
    """Return the shapes of those on queues."""
    metadata = ref("Metadata")
    listed = an_array(an_object("name", "href", name=TEXT, href=TEXT, metadata=metadata))
    change = an_object("op", "path", op={"enum": ["add", "remove", "replace"]}, path=TEXT, value=ANY)
    location = "The queue's path is in the Location header."
    return {
        "queues.list": Shape(
            query=(
                parameter("marker", TEXT, "Name of the last queue of the page before."),
                parameter("limit", number(1, settings.max_queues_per_page), "Most queues to return."),
                parameter("detailed", FLAG, "Show the metadata."),
                parameter("name", TEXT, "Only queues whose name contains this (v2)."),
                parameter("with_count", FLAG, "Count the project's queues (v2)."),
            ),
            answers={
                "200": (
                    "A page of queues.",
                    an_object("links", queues=listed, topics=listed, links=LINKS, count={"type": "integer"}),
                )
            },
        ),
        "queues.create": Shape(
            body=metadata,
            answers={"201": (f"Created. {location}", None), "204": (f"It existed; nothing changed. {location}", None)},
        ),
        "queues.get": Shape(answers={"200": ("The metadata; in v2 with the defaults that apply.", metadata)}),
        "queues.update": Shape(
            body=an_array(change),
            body_type="application/openstack-messaging-v2.0-json-patch",
            body_required=True,
            answers={"200": ("The metadata afterwards.", metadata)},
        ),
        "queues.delete": Shape(answers={"204": ("Gone, with all that was in it.", None)}),
        "queues.stats": Shape(answers={"200": ("The queue's counts, and its ends if it is not empty.", ref("Stats"))}),
        "queues.purge": Shape(
            body=an_object("resource_types", resource_types=an_array({"enum": ["messages", "subscriptions"]})),
            answers={"204": ("Emptied.", None)},
        ),
    }
