"""The reference pages that are made from the documents which the service serves."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sukkal.service.operations import OPERATIONS, Operation
from sukkal.settings import Settings
from sukkal.transports.http.openapi import openapi_document
from sukkal.transports.websocket.answering import ACTIONS
from sukkal.transports.websocket.asyncapi import asyncapi_document
from website.schemas import cell, members_table, phrase, table

__all__ = ["generated_pages"]

Document = Mapping[str, Any]

_HTTP: Final = """# Every operation over HTTP

Made from the document that the service serves at `/openapi.json`, for its default settings. What they mean together is
told in [HTTP API](http-api.md). [Errors](errors.md) and [rules](policy.md) have pages of their own.

Every request names a project, by `X-Project-Id` or its token, and a client, by `Client-ID`, where that is required.
Besides the answers below any operation may be refused, with a body of `title` and `description` and the header
`Error-Code`:

"""
_SOCKET: Final = """# Every action over WebSocket

Made from the document that the service serves at `/asyncapi.json`, for its default settings.
[WebSocket](websocket.md) tells how frames are sent and answered. A refusal has the body
`{"error": "...", "code": "..."}` and the status of the [error](errors.md).

"""


def generated_pages() -> dict[str, str]:
    """Return the pages by their place in the site."""
    settings = Settings()
    return {
        "reference/http-operations.md": _HTTP + _refusals(openapi_document(settings)) + "".join(_operations(settings)),
        "reference/websocket-actions.md": _SOCKET + "".join(_actions(settings)),
    }


def _refusals(document: Document) -> str:
    """Return what all operations have in common."""
    operation = document["paths"]["/v2/ping"]["get"]
    rows = [[f"`{status}`", cell(each["description"])] for status, each in operation["responses"].items()]
    return table(("status", "means"), [row for row in rows if row[0] >= "`4"]) + "\n"


def _operations(settings: Settings) -> Iterator[str]:
    document = openapi_document(settings)
    kind = ""
    for operation in OPERATIONS:
        described = document["paths"]["/v2" + operation.path][operation.method.lower()]
        if operation.name.partition(".")[0] != kind:
            kind = operation.name.partition(".")[0]
            yield f"## {kind.replace('_', ' ').capitalize()}\n\n"
        yield _operation(operation, described, document["components"]["schemas"])


def _operation(operation: Operation, described: Document, components: Document) -> str:
    parts = [
        f"### {operation.name}\n",
        f"`{operation.method} /v2{operation.path}`\n",
        f"{operation.summary}{_also(operation)}\n",
        f"Rule: {f'`{operation.policy}`' if operation.policy else 'none'}."
        + (
            f" Over WebSocket: [{operation.action}](websocket-actions.md#{operation.action})."
            if operation.action
            else ""
        )
        + "\n",
        _parameters(described["parameters"]),
    ]
    if "requestBody" in described:
        [(media, body)] = described["requestBody"]["content"].items()
        needed = "" if described["requestBody"]["required"] else ", which may be left out"
        parts += [
            f"The body is {phrase(body['schema'])} (`{media}`){needed}.\n",
            members_table(body["schema"], components),
        ]
    parts += [_answers(described["responses"], components)]
    return "\n".join(part for part in parts if part) + "\n"


def _also(operation: Operation) -> str:
    also = [
        *(["under `/v1.1`"] if "v1.1" in operation.versions else []),
        *(["for topics, under `/topics` instead of `/queues`"] if operation.topics else []),
    ]
    return f" Also {' and '.join(also)}." if also else ""


def _parameters(parameters: list[Document]) -> str:
    rows = [
        [
            f"`{each['name']}`",
            each["in"],
            cell(phrase(each["schema"])),
            "yes" if each.get("required") else "",
            cell(each.get("description", "")),
        ]
        for each in parameters
        if each["name"] != "X-Project-Id"
    ]
    return table(("parameter", "in", "is", "required", ""), rows)


def _answers(responses: Document, components: Document) -> str:
    parts: list[str] = []
    for status, answer in responses.items():
        if status < "400" or status in ("426", "504"):
            bodies = answer.get("content", {}).values()
            parts += [
                f"**{status}** {answer['description']}\n",
                *(members_table(each["schema"], components) for each in bodies),
            ]
    return "\n".join(parts)


def _actions(settings: Settings) -> Iterator[str]:
    document = asyncapi_document(settings)
    messages, schemas = document["components"]["messages"], document["components"]["schemas"]
    for name, operation in document["operations"].items():
        if "reply" in operation:
            yield f"## {name}\n\n{operation['summary']}"
            if name in ACTIONS:
                done = ACTIONS[name].operation.name
                yield f" As [{done}](http-operations.md#{done.replace('.', '')}) over HTTP."
            yield "\n\n"
            yield (
                members_table(messages[name]["payload"]["properties"]["body"], schemas) or "The body has no members.\n"
            )
            yield "\n"
            for answer in messages[f"{name}.answer"]["payload"]["anyOf"][:-1]:
                yield _good(answer["properties"], schemas)
    yield "## What comes by itself\n\n"
    for name in ("notification", "delivery", "event"):
        yield f"### {name}\n\n{messages[name]['summary']}\n\n{members_table(messages[name]['payload'], schemas)}\n"


def _good(answer: Document, schemas: Document) -> str:
    status = answer["headers"]["properties"]["status"]["const"]
    body = answer["body"]
    members = "".join(f"{members_table(each, schemas)}\n" for each in body.get("oneOf", [body]))
    if body.get("maxProperties") == 0:
        return f"**{status}** Nothing more is said.\n\n"
    if body.get("type") == "string":
        return f"**{status}** A sentence.\n\n"
    return f"**{status}**\n\n{members}" if members.strip() else f"**{status}** {phrase(body).capitalize()}.\n\n"
