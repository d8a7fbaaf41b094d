"""The service on a real port, in a thread of this process, with a clock that tests turn."""

import asyncio
import threading
import time
from typing import Any

import uvloop

from sukkal.app import App, running
from sukkal.model import QueueKey
from sukkal.settings import Address, Settings
from sukkal.testing import FakeClock, counting_ids
from sukkal.transports.http.server import HttpServer, Sockets, listening_socket
from sukkal.transports.websocket.conversations import is_socket_path
from sukkal.transports.websocket.server import guarded_websocket
from tests.closing import Closing

__all__ = ["ServiceHere"]


class ServiceHere(Closing):
    """It serves at ``url`` once it is made. ``clock`` is its time, which stands still."""

    def __init__(self, store: str = "memory://", **settings: Any) -> None:
        self.clock = FakeClock()
        self._settings = Settings(store=store, sweep_interval_s=3_600, **settings)
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="service")
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    _app: App

    def await_waiting(self, queue: str) -> None:
        """Return when somebody waits at a queue of project p."""
        while not self._app.waiting.at(QueueKey("p", queue)):
            time.sleep(0.001)

    def close(self) -> None:
        """Stop it."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop)
            self._thread.join()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException as error:
            self._failure = error
            self._ready.set()
            raise

    async def _serve(self) -> None:
        settings = self._settings
        self._loop = asyncio.get_running_loop()
        async with running(settings, now_ms=self.clock, new_id=counting_ids(1)) as app:
            self._app = app
            bound = listening_socket(Address("127.0.0.1", 0), settings)
            sockets = Sockets(guarded_websocket(settings), is_socket_path, app.sockets.frame_bytes_max)
            server = HttpServer(app.asgi, settings, sockets=sockets)

            def stop() -> None:
                server.stop()
                app.waiting.close()
                app.listeners.close()
                app.sockets.connections.stop()

            self._stop = stop
            self.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
            self._ready.set()
            await server.serve(sockets=[bound])
