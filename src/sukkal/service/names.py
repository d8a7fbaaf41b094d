"""Which names a queue, a project and a client may have, and what can be the name of anything."""

import re
from functools import lru_cache
from typing import Final
from uuid import UUID

from sukkal import limits
from sukkal.errors import InvalidHeader, InvalidName, InvalidParameter, MissingProject
from sukkal.model import QueueKey, QueueKind

__all__ = ["client_id", "is_queue_name", "is_reply_queue", "name_of", "project_id", "queue_key", "reply_queue"]

_UUID_CHARS_MAX: Final = 64
_QUEUE_NAME: Final = re.compile(r"[a-zA-Z0-9_\-.]+")
_NUL: Final = "\0"
_REPLIES: Final = "replies-"
_REPLY_QUEUE: Final = re.compile(_REPLIES + r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def name_of(parameter: str, text: str) -> str:
    """Return what a parameter names, be it there or not. Raises ``InvalidParameter`` for what nothing can have.

    A text with a NUL is one that not every engine can look for.
    """
    if _NUL in text:
        raise InvalidParameter(f'The "{parameter}" parameter is invalid. It must not have NUL characters.')
    return text


def is_queue_name(text: str) -> bool:
    """Tell whether a queue may have this name."""
    return len(text) <= limits.QUEUE_NAME_CHARS_MAX and _QUEUE_NAME.fullmatch(text) is not None


def reply_queue(id_: str) -> str:
    """Return the name of a queue for replies to calls."""
    return _REPLIES + id_


def is_reply_queue(key: QueueKey) -> bool:
    """Tell by its name whether a queue is one for replies to calls, of whichever process."""
    return key.kind == "queue" and key.name.startswith(_REPLIES) and _REPLY_QUEUE.fullmatch(key.name) is not None


@lru_cache(maxsize=65_536)
def queue_key(project: str, name: str, kind: QueueKind) -> QueueKey:
    """Return the key of a queue. Raises ``InvalidName``."""
    if not is_queue_name(name):
        raise InvalidName(
            "The format of the submitted queue name or project id is not valid. "
            f"A queue name has 1 to {limits.QUEUE_NAME_CHARS_MAX} letters, digits, dots, underscores and hyphens."
        )
    return QueueKey(project, name, kind)


@lru_cache(maxsize=4_096)
def project_id(text: str | None) -> str:
    """Return the project that a request belongs to. Raises ``MissingProject``, ``InvalidName``."""
    if not text:
        raise MissingProject("The header X-PROJECT-ID was missing")
    if len(text) > limits.PROJECT_CHARS_MAX:
        raise InvalidName(
            "The format of the submitted queue name or project id is not valid. "
            f"A project id has at most {limits.PROJECT_CHARS_MAX} characters."
        )
    if _NUL in text:
        raise InvalidName(
            "The format of the submitted queue name or project id is not valid. A project id has no NUL characters."
        )
    return text


@lru_cache(maxsize=4_096)
def client_id(text: str, *, uuid_only: bool) -> str:
    """Return a client's id in the form in which ids are compared. Raises ``InvalidHeader``."""
    if uuid_only:
        try:
            # A UUID may be written with any number of hyphens; what is remembered here should stay short.
            if len(text) <= _UUID_CHARS_MAX:
                return str(UUID(text))
            raise ValueError
        except ValueError:
            raise InvalidHeader("Malformed hexadecimal UUID. The header Client-ID takes any UUID.") from None
    if not limits.CLIENT_ID_CHARS_MIN <= len(text) <= limits.CLIENT_ID_CHARS_MAX:
        raise InvalidHeader(
            f"The header Client-ID must have {limits.CLIENT_ID_CHARS_MIN} to {limits.CLIENT_ID_CHARS_MAX} characters."
        )
    if _NUL in text:
        raise InvalidHeader("The header Client-ID must not have NUL characters.")
    return text
