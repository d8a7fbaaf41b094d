"""A server that plays Keystone and does what the real one cannot be made to do: answer with nonsense, or hang."""

import asyncio
import json
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from sukkal.identity.keystone import KeystoneAuthenticator, KeystoneSettings
from sukkal.testing.clock import FakeClock

__all__ = [
    "EXPIRES_AT",
    "PASSWORD",
    "SERVICE_TOKEN",
    "Asked",
    "Reply",
    "Scenario",
    "Script",
    "ScriptedKeystone",
    "grant",
    "login",
    "play",
    "refusal",
]

PASSWORD: Final = "pa55-of-the-service-user"
SERVICE_TOKEN: Final = "token-of-the-service-user"
EXPIRES_AT: Final = "2023-11-14T23:13:20.500000Z"
"""An hour and half a second after the fake clock begins."""

_FAR: Final = "2999-01-01T00:00:00.000000Z"


class Asked(NamedTuple):
    """A request that came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def subject(self) -> str:
        """The token that is asked about."""
        return self.headers.get("X-Subject-Token", "")


class Reply(NamedTuple):
    """An answer. ``promised`` more bytes are announced than are sent before the connection is closed.

    With ``drips`` those bytes come one by one until the test ends. The status 0 closes the connection without a word.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = {}
    promised: int = 0
    drips: bool = False


Script = Callable[[Asked], Reply | None]


def grant(project: str | None = "alpha", *, expires_at: str = EXPIRES_AT, **more: Any) -> Reply:
    """Return the answer about a valid token."""
    token: dict[str, Any] = {
        "user": {"id": "u1", "name": "ada", "domain": {"id": "default"}},
        "roles": [{"id": "r1", "name": "member"}, {"id": "r2", "name": "reader"}],
        "expires_at": expires_at,
        **more,
    }
    if project is not None:
        token["project"] = {"id": project, "name": f"name of {project}"}
    return Reply(200, json.dumps({"token": token}).encode())


def refusal(status: int, message: str = "no") -> Reply:
    """Return an error of Keystone."""
    return Reply(status, json.dumps({"error": {"code": status, "message": message}}).encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that did not wait for their answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class ScriptedKeystone:
    """Answers on a free port of 127.0.0.1 until the context is left.

    ``tokens`` are the tokens it knows; ``script`` and ``login_script`` answer first if they return something. A
    request waits for ``gate`` before it is answered; ``came`` counts those that came.
    """

    def __init__(self) -> None:
        self.tokens: dict[str, Reply] = {}
        self.script: Script = lambda asked: None
        self.login_script: Script = lambda asked: None
        self.asked: list[Asked] = []
        self.logins: list[Asked] = []
        self.gate = threading.Event()
        self.gate.set()
        self.came = threading.Semaphore(0)
        self.ended = threading.Event()
        keystone = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                reply = keystone._reply(Asked(self.command, self.path, dict(self.headers.items()), body))
                if reply.status == 0:
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body) + reply.promised))
                self.end_headers()
                self.wfile.write(reply.body)
                while reply.drips and not keystone.ended.wait(0.05):
                    self.wfile.write(b" ")
                self.close_connection = self.close_connection or reply.promised > 0

            do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the names that http.server calls

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gate.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def root(self) -> str:
        """Its address without the version."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def hang(self) -> None:
        """Let requests wait from now on, until the gate is opened."""
        self.came = threading.Semaphore(0)
        self.gate.clear()

    @property
    def questions(self) -> list[str]:
        """The tokens that it was asked about, in order."""
        return [asked.subject for asked in self.asked if asked.subject]

    def _reply(self, asked: Asked) -> Reply:
        is_login = asked.method == "POST" and asked.path.startswith("/v3/auth/tokens")
        (self.logins if is_login else self.asked).append(asked)
        self.came.release()
        self.gate.wait()
        if is_login:
            return self.login_script(asked) or login(SERVICE_TOKEN)
        return self.script(asked) or self.tokens.get(asked.subject) or refusal(404, f"no token {asked.subject}")


def login(token: str, expires_at: str = _FAR) -> Reply:
    """Return the answer to somebody who logs in."""
    return grant("service", expires_at=expires_at)._replace(status=201, headers={"X-Subject-Token": token})


Scenario = Callable[[ScriptedKeystone, KeystoneAuthenticator, FakeClock], Awaitable[None]]


def play(scenario: Scenario, **settings: Any) -> None:
    """Run a scenario with a Keystone of its own, in which the token ``good`` is known."""

    async def main(keystone: ScriptedKeystone) -> None:
        keystone.tokens["good"] = grant()
        clock = FakeClock()
        known: dict[str, Any] = {"auth_url": keystone.root, "username": "sukkal", "password": PASSWORD}
        authenticator = KeystoneAuthenticator(KeystoneSettings(**{**known, **settings}), clock)
        try:
            await scenario(keystone, authenticator, clock)
        finally:
            keystone.gate.set()
            keystone.ended.set()
            await authenticator.close()

    with ScriptedKeystone() as keystone:
        asyncio.run(main(keystone))
