"""A web server that takes the forwarder's webhooks and keeps what came, in a thread of its own."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from tests.closing import Closing

__all__ = ["Hook", "Taken"]


class Taken(NamedTuple):
    """A request that was answered with 200."""

    id: str
    event: dict[str, Any]


class Hook(Closing):
    """Answers every request with ``status``. ``taken`` has those that it took, ``refused`` counts the others."""

    def __init__(self, port: int = 0) -> None:
        self.status = 200
        self.taken: list[Taken] = []
        self.refused = 0
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if hook.status == 200:
                    hook.taken.append(Taken(self.headers["webhook-id"], json.loads(body)))
                else:
                    hook.refused += 1
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
