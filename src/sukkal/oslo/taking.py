"""Taking messages out of a queue, one claim after the other."""

import logging
import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from sukkal.client import BlockingConnection, ClientError, Refused
from sukkal.oslo.custody import Custody, Held
from sukkal.oslo.refusing import Refusing
from sukkal.oslo.sending import Patience, Service

__all__ = ["Taker"]

_LOG: Final = logging.getLogger(__name__)
_GRACE_S: Final = 60
_SPARE_S: Final = 15.0
_LATE_S: Final = 1
_AT_ONCE_IF_LATE: Final = 20


class _Claimed(NamedTuple):
    id: str
    claim: str
    age_s: int
    body: Any


class Taker:
    """A thread that claims what is in a queue, and waits there for more.

    ``got`` is called with each message's body, its age in seconds, and what holds it. A message for which it raises is
    refused. Of several that wait at one queue
    each gets one message in turn, as long as ``at_once`` is 1 and messages do not wait: of those that have waited for a
    second there are more than enough for everybody, and more are taken at once.
    """

    def __init__(
        self,
        service: Service,
        queue: str,
        custody: Custody,
        got: Callable[[Any, int, Held], None],
        *,
        at_once: int,
        wait_s: int,
    ) -> None:
        self._service = service
        self._path = f"/v2/queues/{queue}"
        self._custody = custody
        self._got = got
        self._refusing = Refusing(service, custody)
        self._at_once = self._limit = at_once
        self._wait_s = wait_s
        self._stopping = threading.Event()
        self._changing = threading.Lock()
        self._connection: BlockingConnection | None = None
        self._thread = threading.Thread(target=self._run, name=f"sukkal-take-{queue}", daemon=True)

    def start(self) -> None:
        """Begin to take."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Take no more. What has been claimed by now is still told."""
        with self._changing:
            self._stopping.set()
            if self._connection is not None:
                self._connection.end()

    def join(self) -> None:
        """Return when nothing more will be told."""
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        patience = Patience()
        while self._connect():
            try:
                while self._take():
                    patience = Patience()
                return
            except ClientError as error:
                if self._stopping.is_set():
                    return
                _LOG.warning("Waiting at %s was interrupted: %s", self._path, error)
                self._leave()
                self._stopping.wait(patience.again(error.retry_after_s if isinstance(error, Refused) else None))
            except Exception:  # noqa: BLE001 - without this thread nobody would take anything any more
                _LOG.exception("Waiting at %s was interrupted", self._path)
                self._stopping.wait(patience.again())

    def _connect(self) -> bool:
        """Make a connection, unless there shall be no more."""
        with self._changing:
            if self._stopping.is_set():
                return False
            if self._connection is not None:
                self._connection.close()
            self._connection = self._service.connection()
            return True

    def _leave(self) -> None:
        if self._connection is not None:
            self._service.leave(self._connection)

    def _take(self) -> bool:
        """Wait for messages and tell them; tell whether there may be more."""
        if not (reserved := self._custody.reserve(self._path, self._limit)):
            return False
        try:
            messages = self._claimed(reserved)
        except BaseException:
            self._custody.free(self._path, reserved)
            raise
        self._custody.free(self._path, reserved - len(messages))
        late = any(message.age_s >= _LATE_S for message in messages)
        self._limit = max(self._at_once, _AT_ONCE_IF_LATE if late else 1)
        for message in messages:
            if held := self._custody.take(self._path, message.id, message.claim):
                self._tell(message.body, message.age_s, held)
        return not self._stopping.is_set()

    def _tell(self, body: Any, age_s: int, held: Held) -> None:
        try:
            self._got(body, age_s, held)
        except Exception as error:  # noqa: BLE001 - one message keeps nobody from taking the next
            self._refusing.refuse(held, body, error)

    def _claimed(self, limit: int) -> list[_Claimed]:
        if self._connection is None or self._stopping.is_set():
            return []
        answer = self._connection.request(
            "POST",
            f"{self._path}/claims",
            {"ttl": self._custody.claim_ttl_s, "grace": _GRACE_S},
            query={"wait": str(self._wait_s), "limit": str(limit)},
            timeout_s=self._wait_s + _SPARE_S,
            repeatable=True,
        )
        document = answer.document
        return [
            _Claimed(each["id"], each["href"].partition("claim_id=")[2], each["age"], each["body"])
            for each in (document["messages"] if document else [])
        ]
