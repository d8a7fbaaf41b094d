"""The schemas that several operations use."""

from typing import Final

from sukkal.transports.http.schemas.shape import AGE, ANY, TEXT, TTL, Schema, an_object, ref

__all__ = ["components"]

MESSAGE: Final[Schema] = {
    "id": TEXT,
    "ttl": TTL,
    "age": AGE,
    "body": {"description": "Any JSON, as it was posted."},
    "checksum": TEXT,
    "claim_count": {"type": "integer", "minimum": 0},
    "reply_to": TEXT,
    "correlation_id": TEXT,
    "traceparent": TEXT,
    "tracestate": TEXT,
    "dead_letter": ref("DeadLetter"),
}


def components() -> dict[str, Schema]:
    """Return the schemas that several operations use."""
    end = an_object(
        "age",
        "ttl",
        "body",
        "claim_id",
        "claim_count",
        "created",
        "href",
        age=AGE,
        ttl=TTL,
        body=ANY,
        claim_id={"type": ["string", "null"]},
        claim_count={"type": "integer", "minimum": 0},
        created={"type": "string", "format": "date-time"},
        href=TEXT,
    )
    count: Schema = {"type": "integer", "minimum": 0}
    return {
        "Error": an_object("title", title=TEXT, description=TEXT),
        "Metadata": {"type": "object", "description": "Any keys; those that begin with an underscore are reserved."},
        "DeadLetter": an_object(
            "reason", "queue", "claim_count", reason=TEXT, queue=TEXT, claim_count={"type": "integer"}
        ),
        "Message": an_object("id", "href", "ttl", "age", "body", href=TEXT, **MESSAGE),
        "PoppedMessage": an_object(
            "id",
            "ttl",
            "age",
            "body",
            "claim_id",
            "claim_count",
            claim_id=TEXT,
            **MESSAGE,
        ),
        "Stats": an_object(
            "messages",
            messages=an_object(
                "claimed",
                "free",
                "total",
                claimed=count,
                free=count,
                delayed=count,
                total=count,
                oldest=end,
                newest=end,
            ),
        ),
    }
