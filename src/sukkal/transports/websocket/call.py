"""A frame on its way to its handler: what was asked for, by whom, and the service that does it."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from sukkal import limits
from sukkal.errors import InvalidBody, InvalidParameter
from sukkal.model import QueueKey
from sukkal.service.access import Caller
from sukkal.service.names import name_of, queue_key
from sukkal.service.operations import Operation
from sukkal.transports.http.bodies import decode_json
from sukkal.transports.rechecking import Recheck
from sukkal.transports.services import Services
from sukkal.transports.websocket.connection import Connection
from sukkal.transports.websocket.frames import Frame, Reply

__all__ = ["Call", "Handler", "read_members"]

T = TypeVar("T")

_members = msgspec.json.Decoder(dict[str, Raw])


def read_members(frame: Frame) -> None:
    """Read the object that a frame's body is. Raises ``InvalidBody``."""
    try:
        frame.members = _members.decode(frame.body)
    except msgspec.DecodeError:
        raise InvalidBody("Schema validation failed. The body must be an object.") from None


class Call(msgspec.Struct, gc=False):
    """One frame, matched to its operation and to the one who sends it; ``made`` is the id of what it made, if any.

    ``recheck`` asks again whether the sender may do this, and raises if not; it is ``None`` where all may.
    """

    frame: Frame
    operation: Operation
    caller: Caller
    services: Services
    connection: Connection
    made: str | None = None
    recheck: Recheck | None = None

    @property
    def key(self) -> QueueKey:
        """The queue that the body names. Raises ``InvalidBody``, ``InvalidName``."""
        return queue_key(self.caller.project, self.required("queue_name"), "queue")

    def check_name(self) -> None:
        """Refuse a queue that nobody may have, before anything else of the body is looked at."""
        _ = self.key

    @property
    def detailed(self) -> bool:
        """Whether messages are to be shown with what Zaqar's have not. Raises ``InvalidBody``."""
        return bool(self.flag("detailed"))

    @property
    def checksum(self) -> bool:
        """Whether messages are shown with a checksum."""
        return self.services.settings.enable_checksum

    def required(self, name: str) -> str:
        """Return a text that must be there. Raises ``InvalidBody``."""
        text = self.text(name)
        if text is None:
            raise InvalidBody(f'Schema validation failed. The field "{name}" is required.')
        return text

    def text(self, name: str) -> str | None:
        """Return a text, or ``None`` if it is absent. Raises ``InvalidBody``, ``InvalidParameter``."""
        text = self._member(name, str, "a string")
        return None if text is None else name_of(name, text)

    def flag(self, name: str) -> bool | None:
        """Return a truth value, or ``None`` if it is absent. Raises ``InvalidBody``."""
        return self._member(name, bool, "true or false")

    def words(self, name: str) -> list[str] | None:
        """Return a list of texts, or ``None`` if it is absent. Raises ``InvalidBody``, ``InvalidParameter``."""
        words = self._member(name, list[str], "a list of strings")
        return None if words is None else [name_of(name, word) for word in words]

    def number(self, name: str) -> int | None:
        """Return a whole number, or ``None`` if it is absent. Raises ``InvalidBody``."""
        number = self._member(name, int, "a whole number")
        if number is not None and not limits.INT64_MIN <= number <= limits.INT64_MAX:
            raise InvalidBody(f'Schema validation failed. The field "{name}" must fit into 64 bits.')
        return number

    def document(self, name: str) -> Any:
        """Return any JSON, or ``None`` if it is absent. Raises ``InvalidBody``."""
        raw = self.frame.members.get(name)
        return None if raw is None else decode_json(bytes(raw))

    def given(self, *names: str) -> dict[str, Any]:
        """Return those members of the body that are there. Raises ``InvalidBody``."""
        return {name: self.document(name) for name in names if name in self.frame.members}

    def mapping(self, name: str) -> dict[str, Any]:
        """Return an object, empty if it is absent. Raises ``InvalidBody``."""
        document = self.document(name)
        if document is None:
            return {}
        if not isinstance(document, dict):
            raise InvalidBody(f'Schema validation failed. The field "{name}" must be an object.')
        return document

    def settled(self, *ids: str) -> None:
        """Tell the connection's consumer of the queue that it is done with messages."""
        if (consumer := self.connection.consumers.get(self.key)) is not None:
            consumer.settled(ids)

    def unsettled(self) -> None:
        """Tell the connection's consumer of the queue that it may be done with messages."""
        if (consumer := self.connection.consumers.get(self.key)) is not None:
            consumer.look_again()

    def wait_s(self) -> int:
        """Return for how long the caller waits for messages at most. Raises ``InvalidBody``, ``InvalidParameter``."""
        wait_s = self.number("wait") or 0
        most = self.services.settings.wait_max_s
        if not 0 <= wait_s <= most:
            raise InvalidParameter(f'The "wait" parameter is invalid. The value must be 0 to {most} seconds.')
        if wait_s:
            self.connection.wait()
        return wait_s

    def _member(self, name: str, kind: type[T], wanted: str) -> T | None:
        raw = self.frame.members.get(name)
        if raw is None:
            return None
        try:
            return msgspec.json.decode(raw, type=kind)
        except msgspec.DecodeError:
            raise InvalidBody(f'Schema validation failed. The field "{name}" must be {wanted}.') from None


Handler = Callable[[Call], Awaitable[Reply]]
