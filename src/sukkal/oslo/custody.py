"""What a listener holds: claimed messages, until each is done or given back."""

import logging
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from oslo_utils import timeutils

from sukkal.client import ClientError
from sukkal.oslo.sending import Patience, Service

__all__ = ["Custody", "Held"]

_LOG: Final = logging.getLogger(__name__)
_DELETED_MAX: Final = 20
_REMEMBERED_MAX: Final = 10_000
_GRACE_S: Final = 60


class Held:
    """A message that is held, by the claim under which it came last."""

    __slots__ = ("claim", "message", "path", "renewed_s")

    def __init__(self, path: str, message: str, claim: str, renewed_s: float) -> None:
        self.path = path
        self.message = message
        self.claim = claim
        self.renewed_s = renewed_s


class Custody:
    """Renews the claims of what is held, and deletes what is done, in a thread for each: neither waits for the other.

    A message that comes again although it is held or was done here, since its claim had ended meanwhile, is recognised.
    ``room`` is how many messages of one queue are held at most.
    """

    def __init__(self, service: Service, *, room: int, claim_ttl_s: int) -> None:
        self._service = service
        self._room: defaultdict[str, int] = defaultdict(lambda: room)
        self.claim_ttl_s = claim_ttl_s
        self._held: dict[tuple[str, str], Held] = {}
        self._finished: list[Held] = []
        self._done: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._changed = threading.Condition()
        self._open = True
        self._keeping = True
        self._threads = [
            threading.Thread(target=work, name="sukkal-custody", daemon=True)
            for work in (self._renew_what_is_held, self._delete_what_is_done)
        ]
        for thread in self._threads:
            thread.start()

    def reserve(self, path: str, limit: int) -> int:
        """Wait for room for messages of a queue, and return for how many; 0 when nothing more shall be taken."""
        with self._changed:
            while self._open and self._room[path] <= 0:
                self._changed.wait()
            if not self._open:
                return 0
            reserved = min(limit, self._room[path])
            self._room[path] -= reserved
            return reserved

    def free(self, path: str, room: int) -> None:
        """Give back room that was reserved and is not needed."""
        with self._changed:
            self._room[path] += room
            self._changed.notify_all()

    def take(self, path: str, message: str, claim: str) -> Held | None:
        """Hold a message that was claimed, for which room is reserved; ``None`` if it came here before."""
        key = (path, message)
        with self._changed:
            if known := self._held.get(key):
                known.claim, known.renewed_s = claim, timeutils.now()
            elif key in self._done:
                self._finished.append(Held(path, message, claim, 0))
            else:
                self._held[key] = held = Held(path, message, claim, timeutils.now())
                self._changed.notify_all()
                return held
            self._room[path] += 1
            self._changed.notify_all()
        return None

    def finish(self, held: Held) -> None:
        """Have a message deleted, which is done. Once is enough, and more often is harmless."""
        with self._changed:
            if not self._forget(held):
                return
            self._done[(held.path, held.message)] = None
            if len(self._done) > _REMEMBERED_MAX:
                self._done.popitem(last=False)
            self._finished.append(held)

    def give_back(self, held: Held, delay_s: int) -> None:
        """Have a message come again, here or elsewhere. Logs it if that fails: it then comes when the claim ends."""
        with self._changed:
            if not self._forget(held):
                return
        path = f"{held.path}/claims/{held.claim}/messages/{held.message}"
        try:
            self._service.request("PATCH", path, {"delay": delay_s}, patience=Patience(timeout_s=self.claim_ttl_s))
        except ClientError as error:
            _LOG.warning("A message was not requeued, and comes again when its claim ends: %s", error)

    def stop_taking(self) -> None:
        """Let nobody reserve any more room."""
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def close(self) -> None:
        """Give back what is still held, and return when everything that is done is deleted."""
        self.stop_taking()
        for held in list(self._held.values()):
            self.give_back(held, 0)
        with self._changed:
            self._keeping = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _forget(self, held: Held) -> bool:
        """Hold a message no longer; tell whether it was held."""
        if self._held.pop((held.path, held.message), None) is None:
            return False
        self._room[held.path] += 1
        self._changed.notify_all()
        return True

    def _renew_what_is_held(self) -> None:
        while True:
            with self._changed:
                while self._keeping and not self._due():
                    self._changed.wait(self._until_due_s())
                if not self._keeping:
                    return
                due = self._due()
                for held in due:
                    held.renewed_s = timeutils.now()
            for path in {f"{held.path}/claims/{held.claim}" for held in due}:
                self._renew(path)

    def _delete_what_is_done(self) -> None:
        while True:
            with self._changed:
                while self._keeping and not self._finished:
                    self._changed.wait()
                if not self._finished:
                    return
                finished, self._finished = self._finished, []
            for several in _in_groups(finished):
                self._delete(several)

    def _due(self) -> list[Held]:
        now_s = timeutils.now()
        return [held for held in self._held.values() if held.renewed_s + self.claim_ttl_s / 3 <= now_s]

    def _until_due_s(self) -> float | None:
        if not self._held:
            return None
        oldest_s = min(held.renewed_s for held in self._held.values())
        return float(max(0.0, oldest_s + self.claim_ttl_s / 3 - timeutils.now()))

    def _delete(self, several: Sequence[Held]) -> None:
        ids = {"ids": ",".join(held.message for held in several)}
        claims = {"claim_ids": ",".join({held.claim: None for held in several})}
        path = f"{several[0].path}/messages"
        try:
            patience = Patience(timeout_s=self.claim_ttl_s)
            self._service.request("DELETE", path, query=ids | claims, patience=patience)
        except ClientError as error:
            _LOG.warning("What is done was not acknowledged, and may be done again elsewhere: %s", error)

    def _renew(self, path: str) -> None:
        document = {"ttl": self.claim_ttl_s, "grace": _GRACE_S}
        try:
            self._service.request("PATCH", path, document, patience=Patience(timeout_s=self.claim_ttl_s / 3))
        except ClientError as error:
            _LOG.warning("A claim could not be renewed, so others may do the same again: %s", error)


def _in_groups(finished: Sequence[Held]) -> Iterator[Sequence[Held]]:
    by_path: dict[str, list[Held]] = {}
    for held in finished:
        by_path.setdefault(held.path, []).append(held)
    for several in by_path.values():
        for begin in range(0, len(several), _DELETED_MAX):
            yield several[begin : begin + _DELETED_MAX]
