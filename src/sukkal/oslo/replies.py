"""Replies to our calls: one queue for them all, and for each call somebody who waits."""

import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from oslo_messaging import MessagingTimeout
from oslo_messaging._drivers import common
from oslo_utils import timeutils

from sukkal.oslo.naming import reply_queue
from sukkal.oslo.sending import Patience, Service
from sukkal.oslo.watching import FROM_THE_BEGINNING, Watcher
from sukkal.oslo.wire import Reply, unpack_reply

__all__ = ["Replies"]

_METADATA: Final = {"_expires_after": 3_600}
"""The queue goes an hour after its reader."""

_LOG: Final = logging.getLogger(__name__)


class Replies:
    """Listens to the queue of our replies. ``caller`` is a name that nobody else has."""

    def __init__(self, service: Service, caller: str, allowed_modules: Sequence[str]) -> None:
        self.queue = reply_queue(caller)
        self._allowed = allowed_modules
        self._waiting: dict[str, queue.Queue[Reply]] = {}
        self._changing = threading.Lock()
        # A reply may be there before we listen.
        self._watcher = Watcher(service, self.queue, self._hear, since=FROM_THE_BEGINNING, metadata=_METADATA)

    @contextmanager
    def expected(self, call: str) -> Iterator["queue.Queue[Reply]"]:
        """Keep the replies to a call for as long as this lasts."""
        arrivals: queue.Queue[Reply] = queue.Queue()
        with self._changing:
            self._waiting[call] = arrivals
        try:
            yield arrivals
        finally:
            with self._changing:
                del self._waiting[call]

    def wait(self, call: str, arrivals: "queue.Queue[Reply]", patience: Patience, monitor_s: float | None) -> Any:
        """Return the result of a call. Raises what it raised there, and ``MessagingTimeout``.

        With ``monitor_s`` the caller wants to hear at least that often that its call is still worked on.
        """
        alive = timeutils.StopWatch(monitor_s).start()
        while True:
            lefts_s = [left_s for left_s in (patience.left_s(), alive.leftover(return_none=True)) if left_s is not None]
            try:
                reply = arrivals.get(timeout=min(lefts_s, default=None))
            except queue.Empty:
                raise MessagingTimeout(f"Timed out waiting for a reply to message ID {call}") from None
            if reply.last:
                break
            alive.restart()
        if reply.failure:
            raise common.deserialize_remote_exception(reply.failure, self._allowed)
        return reply.result

    def stop(self) -> None:
        """Listen no more."""
        self._watcher.stop()

    def _hear(self, body: Any) -> None:
        reply = unpack_reply(body)
        with self._changing:
            arrivals = self._waiting.get(reply.call)
        if arrivals is None:
            _LOG.info("Nobody waits any more for a reply to call %s", reply.call)
        else:
            arrivals.put(reply)
