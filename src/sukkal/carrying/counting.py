"""What is in a queue, in a form in which two stores can be compared."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec.structs import replace

from sukkal.carrying.parcels import Tally
from sukkal.moving import Details, Frame, Stored

__all__ = ["Counting"]

_BYTES: Final = 16


class Counting:
    """Takes what is in a queue, piece by piece in its order, as it was at one moment.

    What a store gives anew to all that comes to it does not count: its numbers.
    """

    def __init__(self, frame: Frame, as_of_ms: int) -> None:
        self._as_of_ms = as_of_ms
        self._messages = 0
        self._digest = blake2b(digest_size=_BYTES)
        self._encode = msgspec.msgpack.Encoder(order="deterministic").encode
        self._add((replace(frame.queue, subscriptions=0), frame.ends_ms))

    def hold(self, stored: Sequence[Stored]) -> None:
        """Take messages."""
        for each in stored:
            if each.message.expires_ms > self._as_of_ms:
                self._messages += 1
                self._add(replace(each, message=replace(each.message, sequence=0)))

    def detail(self, details: Details) -> None:
        """Take claims, acts and subscriptions."""
        for each in (*details.claims, *details.acts, *details.subscriptions):
            self._add(each)

    def done(self) -> Tally:
        """Return what it comes to."""
        return Tally(self._messages, self._digest.digest())

    def _add(self, what: object) -> None:
        text = self._encode(what)
        self._digest.update(len(text).to_bytes(8, "big"))
        self._digest.update(text)
