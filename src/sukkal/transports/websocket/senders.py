"""Finding out who sends a frame, by the gate that all transports share."""

from collections.abc import Mapping
from typing import Final

from sukkal.errors import Forbidden, MissingHeader, QuotaExceeded, SukkalError, Unauthenticated, Unavailable
from sukkal.service.access import Caller, Identity
from sukkal.service.audience import Audience
from sukkal.service.gate import Credentials, Gate
from sukkal.service.names import client_id
from sukkal.transports.http.exchange import Request
from sukkal.transports.http.senders import credentials_of
from sukkal.transports.websocket.connection import EXPIRED, POLICY, Connection
from sukkal.transports.websocket.frames import Frame

__all__ = ["Senders"]

_CLAIMED: Final = ("none", "signed_url")
_WHO: Final = (b"x-auth-token", b"authorization", b"x-project-id")


class Senders:
    """Knows who sends the frames of a connection, and counts it as a listener of that project."""

    def __init__(self, gate: Gate, audience: Audience, *, uuid_only: bool) -> None:
        self._gate = gate
        self._audience = audience
        self._uuid_only = uuid_only

    @property
    def believes(self) -> bool:
        """Whether who brings no token is taken at its word."""
        return self._gate.believes(Credentials(None, None, None))

    async def greet(self, connection: Connection, headers: Mapping[bytes, bytes]) -> None:
        """Take what the request for a connection says of its sender.

        Raises what ``Gate.identify`` does, and ``QuotaExceeded``.
        """
        if client := headers.get(b"client-id"):
            connection.client = client_id(client.decode("latin-1"), uuid_only=self._uuid_only)
        credentials = _credentials({name: headers[name] for name in _WHO if name in headers})
        if credentials.token is not None and not self._gate.believes(credentials):
            self._admit(connection, await self._gate.identify(credentials, "", ""), credentials.token)

    async def authenticate(self, connection: Connection, frame: Frame) -> Caller:
        """Let a connection's further frames be those of the one whose token this frame brings.

        Raises what ``Gate.identify`` does, ``Forbidden`` for a project that is not the token's or not the one that the
        connection had before, and ``QuotaExceeded``.
        """
        credentials = _credentials(_bytes(frame.headers, signed=False))
        identity = await self._gate.identify(credentials, "", "")
        _check_project(identity, credentials.project)
        if connection.identity is not None and connection.identity.project != identity.project:
            raise Forbidden("A connection stays with its project. Open another one for another project.")
        self._admit(connection, identity, credentials.token)
        return Caller(identity, connection.client or "")

    async def caller(self, connection: Connection, frame: Frame, method: str, path: str) -> Caller:
        """Return who sends a frame.

        ``method`` and ``path`` are those of the same operation over HTTP. Raises what ``Gate.identify`` does,
        ``Forbidden`` for a connection that has yet to be authenticated and for a project that is not the token's, and
        what is wrong with the header Client-ID, and ``QuotaExceeded``. A connection whose own token is not valid any
        more ends.
        """
        credentials = _credentials(_bytes(frame.headers, signed=True))
        brought = credentials.token is not None or credentials.signature is not None
        if credentials.token is None:
            credentials.token = connection.token
        if credentials.project is None and connection.identity is not None:
            credentials.project = connection.identity.project
        client = self._client(connection, frame) if self._gate.believes(credentials) else None
        try:
            identity = await self._gate.identify(credentials, method, path)
        except Unauthenticated:
            if not brought and connection.token is None:
                raise Forbidden("Not authentified.") from None
            if not brought:
                connection.close(EXPIRED, "Authentication expired.")
            raise
        _check_project(identity, credentials.project)
        if client is None and (credentials.signature is None or frame.header("client-id") is not None):
            client = self._client(connection, frame)
        if connection.project is None:
            self.enter(connection, identity.project)
        return Caller(identity, client or "", credentials.token)

    def leave(self, connection: Connection) -> None:
        """Count a connection no more: it has ended."""
        if connection.project is not None:
            self._audience.leave(connection.project)
            connection.project = None

    async def still_valid(self, connection: Connection, now_ms: int) -> bool:
        """Tell whether a connection's token is still good."""
        identity = connection.identity
        if identity is None or identity.method in _CLAIMED:
            return True
        try:
            await self._gate.identify(Credentials(connection.token, None, None), "", "")
        except Unavailable:
            pass  # As long as nobody can be asked, it is as good as it was.
        except SukkalError:
            return False
        return identity.expires_ms is None or now_ms < identity.expires_ms

    async def again(self, connection: Connection, frame: Frame, method: str, path: str) -> Caller:
        """Return who sent a frame some time ago, as far as that is still good. Raises as ``caller`` does."""
        client = connection.client
        try:
            return await self.caller(connection, frame, method, path)
        finally:
            connection.client = client

    def _admit(self, connection: Connection, identity: Identity, token: str | None) -> None:
        self.enter(connection, identity.project)
        connection.identity = identity
        connection.token = token
        connection.authenticated.set()

    def enter(self, connection: Connection, project: str) -> None:
        """Count a connection as one of the project's; one too many ends after it has been told."""
        if connection.project == project or connection.closed.is_set():
            return
        try:
            self._audience.enter(project)
        except QuotaExceeded:
            connection.close(POLICY, "The project has too many listeners.")
            raise
        self.leave(connection)
        connection.project = project
        connection.known.set()

    def _client(self, connection: Connection, frame: Frame) -> str:
        given = frame.header("client-id")
        if given is not None:
            connection.client = client_id(given, uuid_only=self._uuid_only)
        elif connection.client is None:
            raise MissingHeader('The "Client-Id" header is required.')
        return connection.client


def _check_project(identity: Identity, claimed: str | None) -> None:
    if claimed and identity.method not in _CLAIMED and claimed != identity.project:
        raise Forbidden("The header X-Project-ID names another project than the token is for.")


def _credentials(headers: Mapping[bytes, bytes]) -> Credentials:
    return credentials_of(Request("GET", "/", "", headers), frozenset())


def _bytes(headers: Mapping[str, str], *, signed: bool) -> dict[bytes, bytes]:
    # As they would have come over HTTP, so that a name is the same project on both.
    return {
        name.encode("utf-8"): text.encode("utf-8")
        for name, text in headers.items()
        if signed or not name.startswith("url-")
    }
