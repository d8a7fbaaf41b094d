"""Requests that are tried again, over connections that are kept."""

import itertools
import logging
import os
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from oslo_utils import timeutils

from sukkal.client import Answer, BlockingConnection, BlockingCredentials, ClientError, Refused, Unreachable

__all__ = ["Patience", "Service", "may_succeed_later"]

_LOG: Final = logging.getLogger(__name__)
_PAUSE_S_MIN: Final = 0.1
_PAUSE_S_MAX: Final = 5.0
_IDLE_MAX: Final = 32


class Patience:
    """How often, and until when, something is tried again. ``retries`` below 0 or ``None`` is for ever."""

    def __init__(self, retries: int | None = None, timeout_s: float | None = None) -> None:
        self._left = None if retries is None or retries < 0 else retries
        self._watch = timeutils.StopWatch(timeout_s).start()
        self._pause_s = _PAUSE_S_MIN

    def left_s(self) -> float | None:
        """Return the seconds that are left, ``None`` if there is no end."""
        left: float | None = self._watch.leftover(return_none=True)
        return left

    def again(self, wanted_s: float | None = None) -> float | None:
        """Return the seconds to wait before the next try, ``None`` if there is none."""
        if self._left is not None:
            if self._left == 0:
                return None
            self._left -= 1
        pause_s, self._pause_s = max(self._pause_s, wanted_s or 0), min(self._pause_s * 2, _PAUSE_S_MAX)
        left_s = self.left_s()
        if left_s is None:
            return pause_s
        return min(pause_s, left_s) if left_s > 0 else None


class Service:
    """The service, as one or several hosts that are tried in turn, with connections that are used again.

    Connections that a forked child inherits are its parent's and left alone.
    """

    def __init__(
        self,
        roots: Sequence[str],
        credentials: BlockingCredentials,
        *,
        client_id: str,
        timeout_s: float,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._roots = itertools.cycle(roots)
        self._root = next(self._roots)
        self._hosts = len(roots)
        self._credentials = credentials
        self._client_id = client_id
        self._timeout_s = timeout_s
        self._tls = tls
        self._idle: list[BlockingConnection] = []
        self._process = os.getpid()
        self._closing = threading.Event()
        self._changing = threading.Lock()

    def connection(self) -> BlockingConnection:
        """Return a new connection, which is the caller's own."""
        return BlockingConnection(
            self._root, self._credentials, client_id=self._client_id, timeout_s=self._timeout_s, tls=self._tls
        )

    def leave(self, failed: BlockingConnection) -> None:
        """Have new connections go to the next host, unless they do so since another one to this host has failed."""
        self._notice_fork()
        with self._changing:
            if failed.url == self._root:
                self._root = next(self._roots)

    def request(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        patience: Patience,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer to a request that may be done twice, which is tried as long as there is patience.

        A try is one at each host until one answers.

        Raises ``Refused`` at once if it will never succeed, else what the last try raised.
        """

        def ask() -> Answer:
            left_s = patience.left_s()
            timeout_s = self._timeout_s if left_s is None else max(0.05, min(self._timeout_s, left_s))
            with self._borrowed() as connection:
                return connection.request(
                    method, path, document, query=query, headers=headers, timeout_s=timeout_s, repeatable=True
                )

        def once() -> Answer:
            for _ in range(self._hosts - 1):
                with suppress(Unreachable):
                    return ask()
            return ask()

        return self.persist(once, patience)

    def persist(self, once: Callable[[], Answer], patience: Patience) -> Answer:
        """Try something until it succeeds, cannot succeed, or there is no patience left."""
        while True:
            try:
                return once()
            except ClientError as error:
                if self._closing.is_set() or not may_succeed_later(error):
                    raise
                pause_s = patience.again(error.retry_after_s if isinstance(error, Refused) else None)
                if pause_s is None:
                    raise
                _LOG.warning("%s; trying again in %.1f s", error, pause_s)
                self._closing.wait(pause_s)

    def close(self) -> None:
        """Close the connections, and let nobody try again."""
        self._closing.set()
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _borrowed(self) -> Iterator[BlockingConnection]:
        self._notice_fork()
        connection = self._idle_one() or self.connection()
        try:
            yield connection
        except Unreachable:
            connection.close()
            self.leave(connection)
            raise
        except BaseException as error:
            if isinstance(error, Refused):
                self._idle.append(connection)
            else:
                connection.close()  # Interrupted: an answer may still come on it.
            raise
        if len(self._idle) < _IDLE_MAX and not self._closing.is_set():
            self._idle.append(connection)
        else:
            connection.close()

    def _notice_fork(self) -> None:
        """Begin anew in a child, where the lock may be one that nobody will ever release."""
        if self._process != os.getpid():
            self._idle, self._process, self._changing = [], os.getpid(), threading.Lock()

    def _idle_one(self) -> BlockingConnection | None:
        """Return a connection that is not used, none to a host that was left."""
        with suppress(IndexError):
            while (connection := self._idle.pop()).url != self._root:
                connection.close()
            return connection
        return None


def may_succeed_later(error: ClientError) -> bool:
    """Tell whether the same request may succeed later."""
    return isinstance(error, Unreachable) or (isinstance(error, Refused) and error.may_succeed_later)
