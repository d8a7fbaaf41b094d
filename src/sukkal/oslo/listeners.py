"""Listeners: what comes out of several queues, one after the other or in batches."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from oslo_messaging._drivers import base
from oslo_utils import timeutils

from sukkal.oslo.custody import Custody, Held
from sukkal.oslo.incoming import NotificationMessage, RpcMessage, SendReply
from sukkal.oslo.sending import Service
from sukkal.oslo.taking import Taker
from sukkal.oslo.watching import Watcher
from sukkal.oslo.wire import Request, unpack_request

__all__ = ["Source", "notification_listener", "rpc_listener"]

_LOG: Final = logging.getLogger(__name__)
_BATCH_MAX: Final = 20

_Incoming = RpcMessage | NotificationMessage

Source = tuple[str, int]
"""A queue, and how many messages are taken from it at once."""


class _Listener(base.PollStyleListener):
    """Holds what its takers bring until it is polled.

    ``make`` turns a request, what holds it, and for how many seconds more its caller waits, into what is polled.
    """

    def __init__(
        self,
        service: Service,
        custody: Custody,
        sources: Sequence[Source],
        make: Callable[[Request, Held | None, float | None], _Incoming],
        *,
        wait_s: int,
    ) -> None:
        super().__init__()
        self._custody = custody
        self._make = make
        self._incoming: queue.Queue[_Incoming | None] = queue.Queue()
        self._takers = [
            Taker(service, name, custody, self._got, at_once=at_once, wait_s=wait_s) for name, at_once in sources
        ]
        self._watcher: Watcher | None = None
        self._starting = threading.Lock()
        self._started = False
        self._stopped = threading.Event()

    def watch(self, watcher: Watcher) -> None:
        """Stop a watcher, which brings messages to ``hear``, together with this."""
        self._watcher = watcher

    def hear(self, body: Any) -> None:
        """Hold a message that belongs to nobody until it is polled."""
        self._got(body, 0, None)

    def poll(
        self, timeout: float | None = None, batch_size: int = 1, batch_timeout: float | None = None
    ) -> list[base.IncomingMessage]:
        """Return messages: the first, for which this waits, and what comes within the batch's time after it."""
        self._start()
        first = self._next(timeout)
        if first is None:
            return []
        batch, watch = [first], timeutils.StopWatch(batch_timeout).start()
        while len(batch) < batch_size:
            left_s = watch.leftover(return_none=True)
            if (more := self._next(left_s)) is None:
                break
            batch.append(more)
        return batch

    def stop(self) -> None:
        """Bring nothing more than what has been claimed by now."""
        self._custody.stop_taking()
        for taker in self._takers:
            taker.ask_to_stop()
        if self._watcher is not None:
            self._watcher.stop()
        for taker in self._takers:
            taker.join()
        self._stopped.set()
        self._incoming.put(None)  # for a poll that waits

    def cleanup(self) -> None:
        """Give back what was not processed, and return when the rest is acknowledged."""
        if not self._stopped.is_set():
            self.stop()
        self._custody.close()

    def _start(self) -> None:
        with self._starting:
            if self._started or self._stopped.is_set():
                return
            self._started = True
            for taker in self._takers:
                taker.start()

    def _next(self, timeout_s: float | None) -> _Incoming | None:
        """Return what came first, but for what nobody waits for any more."""
        watch = timeutils.StopWatch(timeout_s).start()
        while (found := self._first(watch.leftover(return_none=True))) is not None:
            if not (isinstance(found, RpcMessage) and found.given_up()):
                return found
        return None

    def _first(self, timeout_s: float | None) -> _Incoming | None:
        try:
            if self._stopped.is_set():
                while (left := self._incoming.get_nowait()) is None:
                    pass
                return left
            if (found := self._incoming.get(timeout=timeout_s)) is None and self._stopped.is_set():
                return self._first(0)
        except queue.Empty:
            return None
        return found

    def _got(self, body: Any, age_s: int, held: Held | None) -> None:
        request = unpack_request(body)
        waits_s = None if held is None or request.waits_s is None else request.waits_s - age_s
        self._incoming.put(self._make(request, held, waits_s))


def rpc_listener(
    service: Service,
    sources: Sequence[Source],
    fanout: str,
    send_reply: SendReply,
    options: Any,
) -> base.PollStyleListener:
    """Return a listener for requests: those of some queues, and those to all servers."""
    custody = Custody(service, room=options.prefetch, claim_ttl_s=options.claim_ttl)

    def make(request: Request, held: Held | None, waits_s: float | None) -> RpcMessage:
        return RpcMessage(request, custody, held, send_reply, waits_s=waits_s, early=options.acknowledge_early)

    listener = _Listener(service, custody, sources, make, wait_s=options.wait)
    watcher = Watcher(service, fanout, listener.hear)
    listener.watch(watcher)
    if not watcher.ready.wait(options.request_timeout):
        _LOG.warning("No service yet; what is sent to all servers of %s is heard from when there is one", fanout)
    return listener


def notification_listener(
    service: Service, queues: Sequence[str], batch_size: int, options: Any
) -> base.PollStyleListener:
    """Return a listener for the notifications of some queues."""
    custody = Custody(service, room=max(options.prefetch, 2 * batch_size), claim_ttl_s=options.claim_ttl)

    def make(request: Request, held: Held | None, _waits_s: float | None) -> NotificationMessage:
        if held is None:
            raise ValueError("A notification is always held.")
        return NotificationMessage(request, custody, held, requeue_delay_s=options.requeue_delay)

    at_once = min(batch_size, _BATCH_MAX)
    return _Listener(service, custody, [(name, at_once) for name in queues], make, wait_s=options.wait)
