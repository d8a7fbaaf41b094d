"""What a request is made of and what its answer means, whatever sends the one and receives the other."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

from sukkal.client.errors import Refused, Unexpected
from sukkal.client.refusals import refusal_of

__all__ = ["Answer", "Outgoing", "outgoing", "read_answer", "without_password"]

_SUCCEEDED: Final = range(200, 300)
_ELSEWHERE: Final = range(300, 400)


_Member = TypeVar("_Member")


class Answer(NamedTuple):
    """What the service answered. ``document`` is ``None`` if there was no JSON."""

    status: int
    headers: Mapping[str, str]
    document: Any

    def member(self, name: str, kind: type[_Member]) -> _Member:
        """Return a member of the document. Raises ``Unexpected`` if there is none of this kind."""
        found = self.document.get(name) if isinstance(self.document, dict) else None
        if not isinstance(found, kind):
            raise self.unexpected()
        return found

    def unexpected(self) -> Unexpected:
        """Return the error for an answer that the service does not give."""
        return Unexpected(f"What answered is not the service: it said {self.status}, but not what the service says.")


class Outgoing(NamedTuple):
    """A request as it is sent. ``target`` is its path with its query, percent-encoded."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None


def outgoing(
    method: str,
    path: str,
    document: Any = None,
    *,
    client_id: str,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Outgoing:
    """Return the request that carries a document, if there is one: as JSON, but ``bytes`` as they are."""
    sent = {"Client-ID": client_id, "Accept": "application/json"}
    body = None
    if document is not None:
        sent["Content-Type"] = "application/json"
        body = document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()
    target = f"{path}?{urlencode(query)}" if query else path
    return Outgoing(method, target, sent | dict(headers or {}), body)


def read_answer(status: int, headers: Mapping[str, str], text: bytes) -> Answer:
    """Return the answer. Raises ``Refused`` for any that says no."""
    document = _document(text)
    if status not in _SUCCEEDED:
        raise _refused(status, headers, document)
    return Answer(status, headers, document)


def _document(text: bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _refused(status: int, headers: Mapping[str, str], document: Any) -> Refused:
    said = document if isinstance(document, dict) else {}
    description = said.get("description") or said.get("title")
    if status in _ELSEWHERE:
        description = f"The service is not here, but perhaps at {_without_secrets(headers.get('Location', ''))}."
    after = headers.get("Retry-After", "")
    code = headers.get("Error-Code", "")
    return refusal_of(status, code)(
        status,
        str(description or "The service gave no reason."),
        retry_after_s=float(after) if after.isascii() and after.isdigit() else None,
        title=str(said.get("title", "")),
        code=code,
        request_id=headers.get("X-Openstack-Request-Id", ""),
    )


def without_password(text: str, authority: str) -> str:
    """Return what an error says of a URL with this authority, without what that may have of a password."""
    user, at, _ = authority.rpartition("@")
    return text.replace(user + at, "") if at else text


def _without_secrets(location: str) -> str:
    try:
        parts = urlsplit(location)
        shown = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        shown = ""
    return shown or "a place that is not named"
