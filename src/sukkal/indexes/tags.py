"""The tokens by which documents answer what is asked for exactly."""

import hashlib
from collections.abc import Iterator

from sukkal import limits
from sukkal.search import Asked, Document

__all__ = ["asked_tags", "tags"]

_EVERY = "x"
"""The token that every document has: without it there could be no question that has negative terms alone."""


def tags(document: Document) -> Iterator[str]:
    """Yield the tokens of what can be asked for exactly."""
    yield _EVERY
    yield _token("type", document.type)
    for stem in _stems(document.type):
        yield _token("types", stem)
    yield _token("source", document.source)
    yield _token("id", document.id)
    yield _token("queue", document.queue.name)
    if document.subject is not None:
        yield _token("subject", document.subject)
    if document.resource is not None:
        yield _token("resource_type", document.resource.type)
        yield _token("resource_id", document.resource.id)


def asked_tags(asked: Asked) -> Iterator[str]:
    """Yield the tokens that a document has to have, one at least."""
    if not asked.fields:
        yield _EVERY
    for name, value in asked.fields.items():
        stem = value.removesuffix(".*") if name == "type" else value
        yield _token("types" if stem != value else name, stem)


def _stems(type_: str) -> Iterator[str]:
    """Yield what stands before each dot of a type, as far as it can be asked for."""
    end = type_.find(".")
    for _ in range(limits.SEARCH_TYPE_PARTS_MAX):
        if end < 0:
            return
        yield type_[:end]
        end = type_.find(".", end + 1)


def _token(name: str, value: str) -> str:
    # Letters and digits only, so that it is one token whatever the value is.
    return hashlib.blake2b(f"{name} {value}".encode(), digest_size=10).hexdigest()
