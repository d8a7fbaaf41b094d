"""What a request is made of and what its answer means, whatever sends the one and receives the other."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from sukkal.client.errors import Refused

__all__ = ["Answer", "Outgoing", "outgoing", "read_answer"]

_FAILED_FROM: Final = 400


class Answer(NamedTuple):
    """What the service answered. ``document`` is ``None`` if there was no JSON."""

    status: int
    headers: Mapping[str, str]
    document: Any


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
    if status >= _FAILED_FROM:
        raise _refused(status, headers, document)
    return Answer(status, headers, document)


def _document(text: bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def _refused(status: int, headers: Mapping[str, str], document: Any) -> Refused:
    said = document if isinstance(document, dict) else {}
    description = said.get("description") or said.get("title")
    after = headers.get("Retry-After", "")
    return Refused(
        status,
        str(description or "The service gave no reason."),
        retry_after_s=float(after) if after.isascii() and after.isdigit() else None,
    )
