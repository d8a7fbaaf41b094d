"""Operations on pools and flavors."""

from typing import Final

from sukkal import limits
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

__all__ = ["pool_shapes"]

_PAGE: Final = (
    parameter("marker", TEXT, "Name of the last one of the page before."),
    parameter("limit", number(1, limits.PAGE_MAX), "Most to return."),
    parameter("detailed", FLAG, "Show all that is known."),
)
_OPTIONAL_TEXT: Final[Schema] = {"type": ["string", "null"]}
_OPTIONS: Final[Schema] = {"type": "object", "description": "Kept as they are."}
_GIVEN: Final[dict[str, Schema]] = {
    "uri": {"type": "string", "description": "Where the pool keeps its data; a password is shown as ***."},
    "weight": number(0, 2**32 - 1, description="Its share of new queues; 0 takes none."),
    "flavor": _OPTIONAL_TEXT,
    "options": _OPTIONS,
}
_STATE: Final[dict[str, Schema]] = {
    "status": {"type": "string", "enum": ["up", "down"]},
    "reason": {"type": "string", "description": "Why it is down."},
    "draining": FLAG,
    "queues": {"type": "integer", "minimum": 0, "description": "How many queues have their place there."},
}


def pool_shapes() -> dict[str, Shape]:
    """Return the shapes of those on pools and flavors."""
    always = ("name", "href", "uri", "weight", "flavor", "status", "draining")
    pool = an_object(*always, name=TEXT, href=TEXT, **_GIVEN, **_STATE)
    own = {"pool_list": an_array(TEXT), "capabilities": {}}
    flavor = an_object("name", "href", "pool_list", name=TEXT, href=TEXT, **own)
    given = {"pool_list": an_array(TEXT), "capabilities": _OPTIONS}
    return {
        "pools.list": Shape(
            query=_PAGE,
            answers={"200": ("A page of pools.", an_object("pools", "links", pools=an_array(pool), links=LINKS))},
        ),
        "pools.create": Shape(
            body=an_object("uri", "weight", **_GIVEN), body_required=True, answers={"201": ("There it is.", None)}
        ),
        "pools.get": Shape(query=_PAGE[-1:], answers={"200": ("The pool.", pool)}),
        "pools.update": Shape(body=an_object(**_GIVEN), body_required=True, answers={"200": ("As it is now.", pool)}),
        "pools.delete": Shape(answers={"204": ("It is forgotten; its data stay where they are.", None)}),
        "pools.drain": Shape(answers={"202": ("It is being emptied.", pool)}),
        "pools.undrain": Shape(answers={"204": ("It keeps what it still has.", None)}),
        "flavors.list": Shape(
            query=_PAGE,
            answers={
                "200": ("A page of flavors.", an_object("flavors", "links", flavors=an_array(flavor), links=LINKS))
            },
        ),
        "flavors.create": Shape(
            body=an_object("pool_list", **given), body_required=True, answers={"201": ("There it is.", None)}
        ),
        "flavors.get": Shape(answers={"200": ("The flavor.", flavor)}),
        "flavors.update": Shape(
            body=an_object("pool_list", **given), body_required=True, answers={"200": ("As it is now.", flavor)}
        ),
        "flavors.delete": Shape(answers={"204": ("It is forgotten; queues stay where they are.", None)}),
    }
