"""Operations on signed URLs and on the limits of projects."""

from sukkal import limits
from sukkal.transports.http.schemas.shape import LINKS, TEXT, Schema, Shape, an_array, an_object, number, parameter

__all__ = ["limit_shapes", "signed_url_shapes"]


def signed_url_shapes() -> dict[str, Shape]:
    """Return the shapes of those on signed URLs."""
    words = an_array(TEXT)
    signed = {"paths": words, "methods": words, "expires": TEXT}
    return {
        "signed_urls.create": Shape(
            body=an_object(**signed),
            answers={
                "200": (
                    "What was signed. `query` makes a plain URL of each path; `post_url` takes any JSON as a message.",
                    an_object(
                        *("paths", "methods", "project", "expires", "signature", "id", "query"),
                        **signed,
                        project=TEXT,
                        signature=TEXT,
                        id=TEXT,
                        query=TEXT,
                        post_url=TEXT,
                    ),
                )
            },
        ),
        "signed_urls.list": Shape(
            query=(
                parameter("marker", TEXT, "Id of the last one of the page before."),
                parameter("limit", number(1, limits.PAGE_MAX), "Most to return."),
            ),
            answers={
                "200": (
                    "A page of signed URLs, without their signatures.",
                    an_object(
                        *("signed_urls", "links"),
                        signed_urls=an_array(an_object("id", "href", *signed, id=TEXT, href=TEXT, **signed)),
                        links=LINKS,
                    ),
                )
            },
        ),
        "signed_urls.delete": Shape(answers={"204": ("It opens nothing any more.", None)}),
    }


def limit_shapes() -> dict[str, Shape]:
    """Return the shapes of those on limits."""
    given: Schema = {"type": ["integer", "null"], "description": "null is without limit."}
    wanted: Schema = {"type": "integer", "minimum": -1, "description": "-1 is without limit."}
    kept: Schema = {"type": "integer", "minimum": 0}
    stored = ("queues", "messages", "bytes", "subscriptions")
    names = (*stored, "requests_per_s")
    own = an_object(**dict.fromkeys(names, wanted))
    state = an_object(
        *("project", "usage", "limits"),
        project=TEXT,
        usage=an_object(*stored, **dict.fromkeys(stored, kept)),
        limits=an_object(*names, **dict.fromkeys(names, given)),
    )
    return {
        "usage.get": Shape(answers={"200": ("What the project keeps and may keep.", state)}),
        "limits.list": Shape(
            answers={
                "200": (
                    "What was set, project by project.",
                    an_object("limits", limits=an_array(an_object("project", "limits", project=TEXT, limits=own))),
                )
            }
        ),
        "limits.get": Shape(answers={"200": ("What the project keeps and may keep.", state)}),
        "limits.update": Shape(body=own, body_required=True, answers={"200": ("What applies now.", state)}),
        "limits.delete": Shape(answers={"204": ("What was set is forgotten.", None)}),
    }
