"""Listening to a queue by position: everybody hears everything, and nothing is taken."""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from sukkal.client import BlockingConnection, ClientError, Event, Refused
from sukkal.oslo.refusing import beginning_of
from sukkal.oslo.sending import Patience, Service

__all__ = ["FROM_THE_BEGINNING", "Watcher"]

_LOG: Final = logging.getLogger(__name__)
FROM_THE_BEGINNING: Final = "0.0"


class Watcher:
    """A thread that tells what is posted to a queue, also what was posted while the connection was broken.

    If there is ``metadata`` for the queue, it is made before, each time that a connection is.

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
                    # Each time: it may be gone since, and made anew by a post.
                    self._connection.request("PUT", self._queue, self._metadata, repeatable=True)
                for event in self._connection.events(self._path, since=self._position):
                    patience = Patience()
                    self._tell(event)
            except ClientError as error:
                self._pause(error, patience)
            except Exception:  # noqa: BLE001 - without this thread nobody would hear anything any more
                _LOG.exception("Listening at %s was interrupted", self._path)
                self._stopping.wait(patience.again())
            finally:
                self._connection.close()

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
        document = json.loads(event.data)
        if event.name == "ready":
            if not document.get("recovered") and self.ready.is_set():
                _LOG.warning("What was posted at %s while the connection was broken is lost", self._path)
            self.ready.set()
            return
        try:
            self._hear(document["body"])
        except Exception as error:  # noqa: BLE001 - one message keeps nobody from hearing the next
            _LOG.error(
                "Message %s of %s is not understood. %s It begins with %s",
                document.get("id"),
                self._queue,
                error,
                beginning_of(document.get("body")),
            )
