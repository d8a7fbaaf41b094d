"""What every frame goes through before and after its handler."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from string import Formatter
from typing import Final
from urllib.parse import quote

import msgspec

from sukkal import limits
from sukkal.errors import Forbidden, InvalidBody, InvalidRequest, SukkalError, TooManyRequests, Unauthenticated
from sukkal.log_fields import set_log_fields
from sukkal.service.access import Caller
from sukkal.service.audit import Audit
from sukkal.service.gate import Gate
from sukkal.service.operations import OPERATIONS, Operation
from sukkal.tracing import Tracer, trace_of
from sukkal.transports.http.measures import Measures
from sukkal.transports.services import Services
from sukkal.transports.spans import TRACE_HEADERS, operation_span
from sukkal.transports.statuses import STATUS
from sukkal.transports.websocket.call import Call, read_members
from sukkal.transports.websocket.connection import Connection
from sukkal.transports.websocket.frames import NOTHING, Data, Frame, Reply, decode_frame, encode_reply
from sukkal.transports.websocket.handlers import HANDLERS
from sukkal.transports.websocket.senders import Senders

__all__ = ["ACTIONS", "AUTHENTICATE", "Answering"]

_log: Final = logging.getLogger("sukkal.websocket")

AUTHENTICATE: Final = Operation(
    name="authenticate",
    method="POST",
    path="/",
    policy=None,
    action="authenticate",
    summary="Let the further frames of the connection be those of the one whose token this one brings.",
)
"""The action that only a connection has. It is none of the service's operations."""

_UNREAD: Final = "frame"
"""What frames that name no action are counted as."""


class _Action(msgspec.Struct, frozen=True):
    operation: Operation
    parameters: tuple[str, ...]


def _actions() -> dict[str, _Action]:
    found = {}
    for operation in OPERATIONS:
        names = tuple(name for _, name, _, _ in Formatter().parse(operation.path) if name)
        for action in (operation.action, *operation.other_actions):
            if action is not None:
                found[action] = _Action(operation, names)
    return found


ACTIONS: Final[Mapping[str, _Action]] = _actions()
"""The operation of each action, and what its path is made of."""


class Answering:
    """Answers frames: from the bytes of one to the bytes of its answer. Never raises."""

    def __init__(
        self,
        services: Services,
        gate: Gate,
        senders: Senders,
        measures: Measures,
        audit: Audit,
        *,
        new_request_id: Callable[[], str],
        elapsed_s: Callable[[], float],
        tracer: Tracer | None = None,
    ) -> None:
        settings = services.settings
        self._services = services
        self._gate = gate
        self._senders = senders
        self._measures = measures
        self._audit = audit
        self._new_request_id = new_request_id
        self._elapsed_s = elapsed_s
        self._tracer = tracer
        self.frame_bytes_max = limits.WEBSOCKET_ENVELOPE_BYTES_MAX + max(
            settings.max_messages_post_size, settings.max_queue_metadata
        )

    async def __call__(self, connection: Connection, data: Data) -> tuple[Data, Callable[[], None] | None]:
        """Answer a frame, in its own encoding, and say what is to be done once the answer is on its way."""
        request_id = f"req-{self._new_request_id()}"
        set_log_fields({"request_id": request_id})
        binary = connection.binary = isinstance(data, bytes)
        frame = NOTHING
        try:
            frame = self._read(data)
            reply = await self._answer(connection, frame, request_id)
        except SukkalError as error:
            reply = _refusal(error)
        except Exception:  # noqa: BLE001 - a defect fails one request, and is logged
            _log.exception("request %s failed", request_id)
            reply = _refusal(SukkalError(f"The request {request_id} failed. The service's log says why."))
        return encode_reply(frame, reply, binary=binary), reply.then

    def _read(self, data: Data) -> Frame:
        try:
            if len(data) > self.frame_bytes_max:
                raise InvalidRequest(f"A frame may have {self.frame_bytes_max} bytes.")
            return decode_frame(data)
        except SukkalError as error:
            self._measures.note(_UNREAD, error.code, 0.0)
            raise

    async def _answer(self, connection: Connection, frame: Frame, request_id: str) -> Reply:
        if frame.action == AUTHENTICATE.action:
            return await self._authenticate(connection, frame, request_id)
        action = ACTIONS.get(frame.action or "")
        if action is None or frame.action not in HANDLERS:
            error = InvalidRequest(f"{frame.action} is not a valid action")
            self._measures.note(_UNREAD, error.code, 0.0)
            raise error
        if self._tracer is None:
            return await self._perform(connection, frame, action, request_id)
        parent = trace_of({name: frame.header(name) for name in TRACE_HEADERS})
        begin = partial(self._tracer.begin, frame.action or "", "server", parent)
        with operation_span(begin, {}, action.operation.name, request_id):
            return await self._perform(connection, frame, action, request_id)

    async def _perform(self, connection: Connection, frame: Frame, action: _Action, request_id: str) -> Reply:
        operation = action.operation
        caller: Caller | None = None
        call: Call | None = None
        target: dict[str, str] = {}
        began_s = self._elapsed_s()
        outcome = "failed"
        try:
            read_members(frame)
            parameters = _parameters(frame, action.parameters)
            path = "/v2" + operation.path.format(**{name: quote(text, "") for name, text in parameters.items()})
            target = {"id": path, **parameters}
            caller = await self._senders.caller(connection, frame, operation.method, path)
            set_log_fields({"request_id": request_id, "project": caller.project})
            call = Call(frame, operation, caller, self._services, connection)
            if not self._senders.believes:
                call.recheck = partial(self._recheck, call, path)
            if "queue_name" in parameters:
                call.check_name()
            other_project = parameters.get("project_id")
            self._gate.permit(caller.identity, operation.rule(topics=False), other_project=other_project)
            reply = await HANDLERS[frame.action or ""](call)
            outcome = "ok"
        except SukkalError as error:
            outcome = error.code
            raise
        finally:
            self._measures.note(operation.name, outcome, self._elapsed_s() - began_s)
            if self._audit.active:
                made = {} if call is None or call.made is None else {"made": call.made}
                self._note(operation, caller, target | made, outcome, connection, request_id)
        return reply

    async def _recheck(self, call: Call, path: str) -> None:
        caller = await self._senders.again(call.connection, call.frame, call.operation.method, path)
        if caller.project != call.caller.project:
            raise Forbidden("The token is for another project by now.")
        self._gate.permit(caller.identity, call.operation.rule(topics=False))

    async def _authenticate(self, connection: Connection, frame: Frame, request_id: str) -> Reply:
        caller: Caller | None = None
        began_s = self._elapsed_s()
        outcome = "failed"
        try:
            caller = await self._senders.authenticate(connection, frame)
            outcome = "ok"
        except SukkalError as error:
            outcome = error.code
            refusal = _refusal(error)
            reason = {"error": "Authentication failed.", "exception": error.description, "code": error.code}
            return Reply(refusal.status, reason, refusal.headers)
        finally:
            self._measures.note(AUTHENTICATE.name, outcome, self._elapsed_s() - began_s)
            if self._audit.active:
                self._note(AUTHENTICATE, caller, {"id": AUTHENTICATE.path}, outcome, connection, request_id)
        return Reply(200, {"message": "Authentified."})

    def _note(
        self,
        operation: Operation,
        caller: Caller | None,
        target: Mapping[str, str],
        outcome: str,
        connection: Connection,
        request_id: str,
    ) -> None:
        self._audit.note(operation, caller, target, outcome, peer=connection.peer, request_id=request_id)


def _parameters(frame: Frame, names: tuple[str, ...]) -> dict[str, str]:
    """Return what the operation's path is made of. Raises ``InvalidBody``."""
    found = {}
    for name in names:
        try:
            found[name] = msgspec.json.decode(frame.members[name], type=str)
        except (KeyError, msgspec.DecodeError):
            raise InvalidBody(f'Schema validation failed. The field "{name}" must be a string.') from None
    return found


def _refusal(error: SukkalError) -> Reply:
    document = {"error": error.description or error.title, "code": error.code}
    headers: dict[str, str | int] = {}
    if isinstance(error, TooManyRequests):
        headers["retry-after"] = error.retry_after_s
    if isinstance(error, Unauthenticated) and error.challenges:
        headers["www-authenticate"] = ", ".join(error.challenges)
    return Reply(STATUS[error.code], document, headers)
