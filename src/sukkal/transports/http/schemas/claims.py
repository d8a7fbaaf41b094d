"""Operations on claims."""

from sukkal import limits
from sukkal.settings import Settings
from sukkal.transports.http.schemas.messages import DETAILED
from sukkal.transports.http.schemas.shape import (
    AGE,
    LINKS,
    TEXT,
    TTL,
    Shape,
    an_array,
    an_object,
    number,
    parameter,
    ref,
)

__all__ = ["claim_shapes"]


def claim_shapes(settings: Settings) -> dict[str, Shape]:
    """Return their shapes."""
    claim = {"href": TEXT, "age": AGE, "ttl": TTL}
    lease = an_object(
        ttl=number(limits.CLAIM_TTL_S_MIN, settings.max_claim_ttl),
        grace=number(limits.CLAIM_GRACE_S_MIN, settings.max_claim_grace),
    )
    return {
        "claims.create": Shape(
            query=(
                parameter("limit", number(1, settings.max_messages_per_claim_or_pop), "Most messages to claim."),
                parameter("wait", number(0, settings.wait_max_s), "Seconds to wait for a message."),
                DETAILED,
            ),
            body=lease,
            answers={
                "201": (
                    "The messages claimed; the claim's path is in the Location header.",
                    an_object("messages", messages=an_array(ref("Message"))),
                ),
                "204": ("There was nothing to claim.", None),
            },
        ),
        "claims.list": Shape(
            query=(
                parameter("marker", TEXT, "Id of the last claim of the page before."),
                parameter("limit", number(1, settings.max_messages_per_page), "Most claims to return."),
            ),
            answers={
                "200": (
                    "A page of claims.",
                    an_object(
                        "claims",
                        "links",
                        claims=an_array(an_object("id", "href", "age", "ttl", id=TEXT, **claim)),
                        links=LINKS,
                    ),
                )
            },
        ),
        "claims.get": Shape(
            query=(DETAILED,),
            answers={
                "200": (
                    "The claim and what it holds.",
                    an_object("href", "age", "ttl", "messages", messages=an_array(ref("Message")), **claim),
                )
            },
        ),
        "claims.update": Shape(body=lease, body_required=True, answers={"204": ("Its time begins anew.", None)}),
        "claims.delete": Shape(answers={"204": ("Ended; what it held is free.", None)}),
        "claims.release": Shape(
            body=an_object(delay=number(0, limits.RELEASE_DELAY_S_MAX)), answers={"204": ("The message is free.", None)}
        ),
    }
