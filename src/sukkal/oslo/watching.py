"""Listening to a queue by position: everybody hears everything, and nothing is taken."""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from sukkal.client import BlockingConnection, ClientError, Event, Refused
from sukkal.oslo.sending import Patience, Service

__all__ = ["FROM_THE_BEGINNING", "Watcher"]

_LOG: Final = logging.getLogger(__name__)
FROM_THE_BEGINNING: Final = "0.0"


class Watcher:
    """A thread that tells what is posted to a queue, also what was posted while the connection was broken.

    The queue is made before, if there is ``metadata`` for it.

    ``since`` is the position from which on; by default what is posted after ``ready`` is told. ``hear`` is called with
    the body of each message.
    """

    def __init__(
        self,
        service: Service,
        queue: str,
        hear: Callable[[Any], None],
        *,
        since: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self._service = service
        self._queue = f"/v2/queues/{queue}"
        self._path = f"{self._queue}/stream"
        self._metadata = metadata
        self._hear = hear
        self._position = since
        self._stopping = threading.Event()
        self._changing = threading.Lock()
        self._connection: BlockingConnection | None = None
        self.ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sukkal-watch-{queue}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Listen no more. Returns when nothing more will be told."""
        with self._changing:
            self._stopping.set()
            if self._connection is not None:
                self._connection.end()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        patience = Patience()
        while not self._stopping.is_set():
            with self._changing:
                self._connection = self._service.connection()
                if self._stopping.is_set():
                    return
            try:
                if self._metadata is not None:
                    self._connection.request("PUT", self._queue, self._metadata, repeatable=True)
                    self._metadata = None
                for event in self._connection.events(self._path, since=self._position):
                    patience = Patience()
                    self._tell(event)
            except ClientError as error:
                self._pause(error, patience)

    def _pause(self, error: ClientError, patience: Patience) -> None:
        if self._stopping.is_set():
            return
        _LOG.warning("Listening at %s was interrupted: %s", self._path, error)
        if self._connection is not None:
            self._service.leave(self._connection)
        self._stopping.wait(patience.again(error.retry_after_s if isinstance(error, Refused) else None))

    def _tell(self, event: Event) -> None:
        if event.name == "end":
            return
        if event.id:
            self._position = event.id
        try:
            document = json.loads(event.data)
            if event.name == "ready":
                if not document.get("recovered") and self.ready.is_set():
                    _LOG.warning("What was posted at %s while the connection was broken is lost", self._path)
                self.ready.set()
            else:
                self._hear(document["body"])
        except (KeyError, TypeError, ValueError):
            _LOG.exception("A message at %s was not understood", self._path)
