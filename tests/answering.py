"""A web server that answers what a test says, in threads of its own."""

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from tests.closing import Closing

__all__ = ["Answering", "Asked", "Said"]


class Asked(NamedTuple):
    """A request; ``document`` is ``None`` if it had no JSON."""

    method: str
    path: str
    headers: Mapping[str, str]
    document: Any


class Said(NamedTuple):
    """An answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Answering(Closing):
    """Asks ``judge`` for each answer. ``asked`` has all requests so far."""

    def __init__(self, judge: Callable[[Asked], Said]) -> None:
        self.asked: list[Asked] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, json.loads(body) if body else None)
                server.asked.append(asked)
                said = judge(asked)
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said.body)))
                self.end_headers()
                self.wfile.write(said.body)

            do_DELETE = do_GET = do_PATCH = do_POST = _answer  # noqa: N815 - the names that the base class looks for

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
