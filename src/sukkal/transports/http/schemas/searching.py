"""Operations on what is searched."""

from sukkal import limits
from sukkal.search import FACETS
from sukkal.transports.http.schemas.shape import (
    FLAG,
    LINKS,
    TEXT,
    Schema,
    Shape,
    an_array,
    an_object,
    number,
    parameter,
)

__all__ = ["search_shapes"]

_MOMENT: Schema = {"type": "string", "format": "date-time"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_LIMIT = parameter("limit", number(1, limits.PAGE_MAX), "Most to return.")
_ASKED: dict[str, str] = {
    "q": 'Words that are all there; also "phrases", beginnings* and -not.',
    "type": "The type of the event; `compute.*` is any that begins with `compute.`.",
    "source": "The source of the event.",
    "id": "The id of the event.",
    "subject": "The subject of the event.",
    "resource_type": "The type of the resource that the event tells of.",
    "resource_id": "The id of that resource.",
}


def search_shapes() -> dict[str, Shape]:
    """Return the shapes of them."""
    search = an_object("name", "queue", name=TEXT, queue=TEXT, **dict.fromkeys(_ASKED, TEXT))
    body = an_object("queue", queue=TEXT, **{name: {**TEXT, "description": what} for name, what in _ASKED.items()})
    marker = parameter("marker", TEXT, "Name of the last one of the page before.")
    return {
        "events.search": _found("events", ()),
        "resources.search": _found("resources", (parameter("deleted", FLAG, "Also those that are gone."),)),
        "events.types": Shape(
            query=(marker, _LIMIT),
            answers={"200": ("A page of types.", an_object("types", "links", types=an_array(_type()), links=LINKS))},
        ),
        "searches.list": Shape(
            query=(marker, _LIMIT),
            answers={
                "200": ("A page of searches.", an_object("searches", "links", searches=an_array(search), links=LINKS))
            },
        ),
        "searches.create": Shape(
            body=body,
            body_required=True,
            answers={"201": ("It is new.", search), "200": ("It replaces the one before.", search)},
        ),
        "searches.get": Shape(answers={"200": ("The search.", search)}),
        "searches.delete": Shape(answers={"204": ("It finds nothing any more.", None)}),
    }


def _found(name: str, more: tuple[Schema, ...]) -> Shape:
    resource = an_object("type", "id", "deleted", type=TEXT, id=TEXT, deleted=FLAG)
    hit = an_object(
        *("event", "queue", "message_id", "posted"),
        event={"type": "object", "description": "The event, a CloudEvent."},
        queue=TEXT,
        message_id=TEXT,
        posted=_MOMENT,
        resource=resource,
    )
    values = an_array(an_object("value", "count", value=TEXT, count=_COUNT))
    counts: Schema = {"type": "object", "additionalProperties": values}
    facets = an_object("counts", "complete", counts=counts, complete=FLAG)
    return Shape(
        query=(
            *(parameter(field, TEXT, what) for field, what in _ASKED.items()),
            parameter("queue", TEXT, "The queue that it was posted to."),
            parameter("since", _MOMENT, "Posted at this time or later."),
            parameter("facets", TEXT, f"Count all matches by some of {', '.join(FACETS)}, separated by commas."),
            *more,
            parameter("marker", TEXT, "Where the page before ended."),
            _LIMIT,
        ),
        answers={
            "200": (
                "A page, newest first.",
                an_object(name, "links", **{name: an_array(hit)}, facets=facets, links=LINKS),
            )
        },
    )


def _type() -> Schema:
    return an_object(
        *("type", "count", "first_posted", "last_posted", "producers", "sample", "schema"),
        type=TEXT,
        count=_COUNT,
        first_posted=_MOMENT,
        last_posted=_MOMENT,
        producers=an_array(an_object("source", "count", source=TEXT, count=_COUNT)),
        sample=an_object("source", "id", source=TEXT, id=TEXT),
        schema={"type": "object", "description": "A JSON Schema of the data, as far as they were seen."},
    )
