"""The front: what every request goes through before and after its handler."""

import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import lru_cache, partial
from typing import Any, Final

from sukkal.errors import BadEncoding, Forbidden, MethodNotAllowed, MissingHeader, NotAcceptable, SukkalError
from sukkal.log_fields import set_log_fields
from sukkal.service.access import Caller
from sukkal.service.audit import Audit
from sukkal.service.gate import Gate, claimed
from sukkal.service.names import client_id
from sukkal.service.operations import Operation
from sukkal.tracing import Tracer, trace_of
from sukkal.transports.http.call import Call
from sukkal.transports.http.cors import Cors
from sukkal.transports.http.errors import error_response
from sukkal.transports.http.exchange import JSON, Header, LastingResponse, Page, Request, Response
from sukkal.transports.http.handlers import HANDLERS
from sukkal.transports.http.home import versions_document
from sukkal.transports.http.measures import Measures
from sukkal.transports.http.routing import Match, Router, routes
from sukkal.transports.http.schemas import parameter_names
from sukkal.transports.http.senders import credentials_of, names_itself
from sukkal.transports.services import Services
from sukkal.transports.spans import TRACE_HEADERS, operation_span

__all__ = ["Front"]

_log: Final = logging.getLogger("sukkal.http")

_PAGE_HEADERS: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
"""For browsers, should one open a page: it is no script, stands in no frame, and tells nobody where it was.

A page may say something else of itself."""

_FORM: Final = b"application/x-www-form-urlencoded"

_CLAIMED_MAX: Final = 4_096
_JSON: Final = ("application/json", "application/json-home", "application/*", "*/*")
_EVENTS: Final = ("text/event-stream", "text/*", "*/*")


class Front:
    """Answers requests: a function from a request to a response that never raises."""

    def __init__(
        self,
        services: Services,
        gate: Gate,
        measures: Measures,
        audit: Audit,
        *,
        pages: Mapping[str, Page],
        new_request_id: Callable[[], str],
        elapsed_s: Callable[[], float],
        tracer: Tracer | None = None,
    ) -> None:
        settings = services.settings
        self._services = services
        self._gate = gate
        self._measures = measures
        self._audit = audit
        self._cors = Cors(settings.cors_origins)
        self._parameters = parameter_names(settings)
        self._pages = pages
        self._new_request_id = new_request_id
        self._elapsed_s = elapsed_s
        self._tracer = tracer
        self._router = Router(routes(with_v1_1=settings.enable_v1_1))
        self._versions = versions_document(with_v1_1=settings.enable_v1_1)
        self._uuid_only = settings.client_id_uuid_safe == "strict"
        self._claimed = lru_cache(_CLAIMED_MAX)(self._claiming)

    async def __call__(self, request: Request) -> Response:
        """Answer a request."""
        request_id = f"req-{self._new_request_id()}"
        about = {"request_id": request_id}
        set_log_fields(about)
        try:
            response = await self._answering(request, about)
        except SukkalError as error:
            response = error_response(error)
        except Exception:  # noqa: BLE001 - a defect fails one request, and is logged
            _log.exception("request %s failed", request_id)
            response = error_response(SukkalError(f"The request {request_id} failed. The service's log says why."))
        if self._cors.active:
            response.headers += self._cors.headers(request)
        response.headers += ((b"x-openstack-request-id", request_id.encode("ascii")),)
        return response

    def _answering(self, request: Request, about: dict[str, str]) -> Coroutine[Any, Any, Response]:
        path = request.path
        if path in self._pages or path in ("/", "") or request.method == "OPTIONS":
            return self._show(request)
        # A path that does not exist is told before anything else, a wrong method after the sender's headers.
        try:
            match = self._router.match(request.method, path)
        except MethodNotAllowed as refusal:
            return self._refuse(request, refusal)
        if self._tracer is not None:
            return self._trace(self._tracer, request, match, about)
        return self._perform(request, match, about)

    async def _show(self, request: Request) -> Response:
        """Answer a request that is for no operation."""
        path = request.path
        if path in ("/", ""):
            return Response(300, self._versions, (JSON,))
        if (page := self._pages.get(path)) is not None:
            if request.method not in ("GET", "HEAD"):
                raise MethodNotAllowed(("GET", "HEAD"))
            response = await page(request)
            named = {name for name, _ in response.headers}
            response.headers += tuple(header for header in _PAGE_HEADERS if header[0] not in named)
            return response
        allowed = self._router.allowed(path)
        return self._cors.preflight(request, allowed) or Response(200, b"", (_allow(allowed), JSON))

    async def _refuse(self, request: Request, refusal: MethodNotAllowed) -> Response:
        await self._caller(request, frozenset())
        raise refusal

    async def _trace(self, tracer: Tracer, request: Request, match: Match, about: dict[str, str]) -> Response:
        parent = trace_of({name: request.header(name.encode()) for name in TRACE_HEADERS})
        route = match.route
        begin = partial(tracer.begin, f"{request.method} {route.path}", "server", parent)
        http = {"http.request.method": request.method, "http.route": route.path}
        with operation_span(begin, http, route.operation.name, about["request_id"]) as span:
            response = await self._perform(request, match, about)
            span.note("http.response.status_code", response.status)
        return response

    async def _perform(self, request: Request, match: Match, about: dict[str, str]) -> Response:
        route, operation = match.route, match.route.operation
        caller: Caller | None = None
        call: Call | None = None
        began_s = self._elapsed_s()
        outcome = "failed"
        try:
            _check_types(request, operation)
            caller = None if operation.nameless else self._claimant(request)
            if caller is None:
                caller = await self._caller(request, self._parameters[operation.name], nameless=operation.nameless)
            about["project"] = caller.project
            call = Call(request, operation, route.version, route.collection, match.parameters, caller, self._services)
            if "queue_name" in match.parameters:
                call.check_name()
            self._gate.permit(caller.identity, route.rule, other_project=match.parameters.get("project_id"))
            response = await HANDLERS[operation.name](call)
            if isinstance(response, LastingResponse):
                response.recheck = partial(self._recheck, request, operation, route.rule, caller.project)
            outcome = "ok"
        except SukkalError as error:
            outcome = error.code
            raise
        finally:
            self._measures.note(operation.name, outcome, self._elapsed_s() - began_s)
            if self._audit.active:
                target = {"id": request.path, **match.parameters}
                if call is not None and call.made is not None:
                    target["made"] = call.made
                id_ = about["request_id"]
                self._audit.note(operation, caller, target, outcome, peer=request.peer, request_id=id_)
        return response

    async def _recheck(self, request: Request, operation: Operation, rule: str | None, project: str) -> None:
        caller = await self._caller(request, self._parameters[operation.name], nameless=True)
        if caller.project != project:
            raise Forbidden("The token is for another project by now.")
        self._gate.permit(caller.identity, rule)

    def _claimant(self, request: Request) -> Caller | None:
        """Return who sends a request, if that is who it says it is. Raises as ``_caller`` does."""
        if not self._gate.trusting or not names_itself(request):
            return None
        headers = request.headers
        return self._claimed(headers.get(b"x-project-id"), headers.get(b"x-roles"), headers.get(b"client-id"))

    def _claiming(self, project: bytes | None, roles: bytes | None, client: bytes | None) -> Caller:
        name = self._client(client)
        return Caller(claimed(_text(project), _text(roles)), name)

    async def _caller(self, request: Request, own_parameters: frozenset[str], *, nameless: bool = False) -> Caller:
        # Browsers that listen to a stream can send no headers of their own.
        credentials = credentials_of(request, own_parameters)
        client: str | None = None
        nameless = nameless and b"client-id" not in request.headers
        if self._gate.believes(credentials) and not nameless:
            client = self._client(request.headers.get(b"client-id"))
        identity = self._gate.known(credentials)
        if identity is None:
            identity = await self._gate.identify(credentials, request.method, request.path)
        if client is None and not nameless and (credentials.signature is None or b"client-id" in request.headers):
            client = self._client(request.headers.get(b"client-id"))
        # Who calls a plain URL cannot be asked for headers; nobody's messages are its own.
        return Caller(identity, client or "", credentials.token)

    def _client(self, header: bytes | None) -> str:
        if header is None:
            raise MissingHeader('The "Client-Id" header is required.')
        return client_id(header.decode("latin-1"), uuid_only=self._uuid_only)


def _check_types(request: Request, operation: Operation) -> None:
    headers = request.headers
    if request.body != b"" and not operation.any_body and headers.get(b"content-type") == _FORM:
        raise BadEncoding(
            "Endpoint does not accept `application/x-www-form-urlencoded` content; currently supported media type "
            'is `application/json`; specify proper client-side media type with the "Content-Type" header.'
        )
    accept = headers.get(b"accept")
    answers = _EVENTS if operation.streams else _JSON
    if accept is not None and not _accepts(accept, answers):
        raise NotAcceptable(f"The answer is {answers[0]}; the Accept header must allow that.")


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")


def _allow(methods: tuple[str, ...]) -> Header:
    return (b"allow", ", ".join(methods).encode("ascii"))


@lru_cache(maxsize=256)
def _accepts(accept: bytes, answers: tuple[str, ...]) -> bool:
    for part in accept.decode("latin-1").lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        refused = any(parameter.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for parameter in parameters)
        if not refused and media_type in answers:
            return True
    return not accept.strip()
