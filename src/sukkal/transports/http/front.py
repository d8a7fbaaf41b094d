"""The front: what every request goes through before and after its handler."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Final

from sukkal.errors import (
    BadEncoding,
    MethodNotAllowed,
    MissingHeader,
    NotAcceptable,
    SukkalError,
)
from sukkal.service.access import Caller
from sukkal.service.names import client_id, project_id
from sukkal.transports.http.call import Call, Services
from sukkal.transports.http.errors import error_response
from sukkal.transports.http.exchange import JSON, Request, Response
from sukkal.transports.http.handlers import HANDLERS
from sukkal.transports.http.home import versions_document
from sukkal.transports.http.measures import Measures
from sukkal.transports.http.routing import Router, routes

__all__ = ["Front", "Page"]

_log: Final = logging.getLogger("sukkal.http")

Page = Callable[[], Awaitable[Response]]
"""Something served at a path of its own, without headers to check."""


class Front:
    """Answers requests: a function from a request to a response that never raises."""

    def __init__(
        self,
        services: Services,
        measures: Measures,
        *,
        pages: Mapping[str, Page],
        new_request_id: Callable[[], str],
        elapsed_s: Callable[[], float],
    ) -> None:
        settings = services.settings
        self._services = services
        self._measures = measures
        self._pages = pages
        self._new_request_id = new_request_id
        self._elapsed_s = elapsed_s
        self._router = Router(routes(with_v1_1=settings.enable_v1_1))
        self._versions = versions_document(with_v1_1=settings.enable_v1_1)
        self._uuid_only = settings.client_id_uuid_safe == "strict"

    async def __call__(self, request: Request) -> Response:
        """Answer a request."""
        request_id = f"req-{self._new_request_id()}"
        try:
            response = await self._answer(request)
        except SukkalError as error:
            response = error_response(error)
        except Exception:  # noqa: BLE001 - a defect fails one request, and is logged
            _log.exception("request %s failed", request_id)
            response = error_response(SukkalError(f"The request {request_id} failed. The service's log says why."))
        response.headers += ((b"x-openstack-request-id", request_id.encode("ascii")),)
        return response

    async def _answer(self, request: Request) -> Response:
        path = request.path
        if path in ("/", ""):
            return Response(300, self._versions, (JSON,))
        if (page := self._pages.get(path)) is not None:
            if request.method not in ("GET", "HEAD"):
                raise MethodNotAllowed(("GET", "HEAD"))
            return await page()
        if request.method == "OPTIONS":
            return Response(200, b"", ((b"allow", ", ".join(self._router.allowed(path)).encode("ascii")), JSON))
        # A path that does not exist is told before anything else, a wrong method after the headers.
        try:
            match = self._router.match(request.method, path)
        except MethodNotAllowed:
            self._check_headers(request)
            raise
        route = match.route
        call = Call(
            request,
            route.operation,
            route.version,
            route.collection,
            match.parameters,
            self._check_headers(request),
            self._services,
        )
        if "queue_name" in match.parameters:
            call.check_name()
        return await self._timed(route.operation.name, call)

    async def _timed(self, operation: str, call: Call) -> Response:
        began_s = self._elapsed_s()
        outcome = "failed"
        try:
            response = await HANDLERS[operation](call)
            outcome = "ok"
        except SukkalError as error:
            outcome = error.code
            raise
        finally:
            self._measures.note(operation, outcome, self._elapsed_s() - began_s)
        return response

    def _check_headers(self, request: Request) -> Caller:
        headers = request.headers
        if request.body != b"" and headers.get(b"content-type") == b"application/x-www-form-urlencoded":
            raise BadEncoding(
                "Endpoint does not accept `application/x-www-form-urlencoded` content; currently supported media type "
                'is `application/json`; specify proper client-side media type with the "Content-Type" header.'
            )
        accept = headers.get(b"accept")
        if accept is not None and not _accepts_json(accept):
            raise NotAcceptable("The service answers in application/json; the Accept header must allow that.")
        client = request.header(b"client-id")
        if client is None:
            raise MissingHeader('The "Client-Id" header is required.')
        client = client_id(client, uuid_only=self._uuid_only)
        project = project_id(request.header(b"x-project-id"))
        roles = headers.get(b"x-roles")
        return Caller(project, client, _roles(roles) if roles else frozenset())


@lru_cache(maxsize=256)
def _accepts_json(accept: bytes) -> bool:
    for part in accept.decode("latin-1").lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        refused = any(parameter.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for parameter in parameters)
        if not refused and media_type in ("*/*", "application/*", "application/json", "application/json-home"):
            return True
    return not accept.strip()


@lru_cache(maxsize=256)
def _roles(header: bytes) -> frozenset[str]:
    return frozenset(role.strip() for role in header.decode("latin-1").split(",") if role.strip())
