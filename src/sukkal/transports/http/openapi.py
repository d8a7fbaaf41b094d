"""The OpenAPI document, made from the table of operations."""

from collections.abc import Awaitable, Callable
from string import Formatter
from typing import Any, Final

import msgspec

import sukkal
from sukkal import limits
from sukkal.settings import Settings
from sukkal.transports.http.exchange import JSON, Request, Response
from sukkal.transports.http.routing import Route, routes
from sukkal.transports.http.schemas import PATH_PARAMETERS, Shape, components, ref, shapes

__all__ = ["openapi_document", "openapi_page"]

_REFUSALS: Final = {
    "400": "The request is wrong; the description names the field and the limit.",
    "401": "The request does not prove who sends it; WWW-Authenticate says how that is done.",
    "403": "Not allowed.",
    "404": "There is no such thing.",
    "405": "The path has no such method; Allow lists those it has.",
    "406": "The Accept header does not allow JSON.",
    "409": "The request contradicts the present state.",
    "415": "The body must be of another media type.",
    "429": "More than the project may have; Retry-After says when to try again.",
    "503": "Not now; Retry-After says when to try again.",
}
_HEADERS: Final[list[dict[str, Any]]] = [
    {
        "name": "Client-ID",
        "in": "header",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
        "description": "Names the client, so that it can be spared its own messages.",
    },
    {
        "name": "X-Project-Id",
        "in": "header",
        "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": limits.PROJECT_CHARS_MAX},
        "description": "The project whose queues are meant.",
    },
]


def openapi_document(settings: Settings) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the API as these settings serve it."""
    by_name = shapes(settings)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes(with_v1_1=settings.enable_v1_1):
        item = paths.setdefault(route.path, {})
        item[route.operation.method.lower()] = _operation(route, by_name[route.operation.name])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sukkal",
            "version": sukkal.__version__,
            "description": sukkal.__doc__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": components()},
    }


def openapi_page(settings: Settings) -> Callable[[Request], Awaitable[Response]]:
    """Return the page that shows the document."""
    encoded = msgspec.json.encode(openapi_document(settings))

    async def page(request: Request) -> Response:
        return Response(200, encoded, (JSON,))

    return page


def _operation(route: Route, shape: Shape) -> dict[str, Any]:
    operation = route.operation
    names = [name for _, name, _, _ in Formatter().parse(route.path) if name]
    parameters = [{"name": name, "in": "path", "required": True, "schema": PATH_PARAMETERS[name]} for name in names]
    document: dict[str, Any] = {
        "operationId": f"{route.version}.{route.collection}.{operation.name}",
        "summary": operation.summary,
        "tags": [operation.name.partition(".")[0]],
        "parameters": [*parameters, *shape.query, *_senders(nameless=operation.nameless), *shape.headers],
        "responses": _responses(shape),
    }
    if route.version == "v1.1":
        document["deprecated"] = True
    if shape.body is not None:
        document["requestBody"] = {
            "required": shape.body_required,
            "content": {shape.body_type: {"schema": shape.body}},
        }
    return document


def _senders(*, nameless: bool) -> list[dict[str, Any]]:
    client, project = _HEADERS
    return [client | {"required": not nameless}, project]


def _responses(shape: Shape) -> dict[str, Any]:
    error = {"application/json": {"schema": ref("Error")}}
    headers = {"Error-Code": {"description": "The name of the error.", "schema": {"type": "string"}}}
    refusals = {
        status: {"description": text, "headers": headers, "content": error} for status, text in _REFUSALS.items()
    }
    answers: dict[str, Any] = {}
    for status, (text, schema) in shape.answers.items():
        answers[status] = {"description": text}
        if schema is not None:
            answers[status]["content"] = {shape.answer_type: {"schema": schema}}
    return answers | refusals
