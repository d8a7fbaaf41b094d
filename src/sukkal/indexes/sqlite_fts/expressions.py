"""Questions as expressions of the full-text index, and the tokens by which documents answer them.

Nothing that a caller wrote stands in an expression but as a quoted string, so none of it can mean anything else there.
"""

import hashlib
from collections.abc import Iterator

from sukkal import limits
from sukkal.search import Asked, Document, Term

__all__ = ["expression", "tags"]

_EVERY = "x"
"""The token that every document has: without it there could be no question that has negative terms alone."""


def tags(document: Document) -> str:
    """Return the tokens of what can be asked for exactly."""
    return " ".join(_tags(document))


def _tags(document: Document) -> Iterator[str]:
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


def _stems(type_: str) -> Iterator[str]:
    """Yield what stands before each dot of a type, as far as it can be asked for."""
    end = type_.find(".")
    for _ in range(limits.SEARCH_TYPE_PARTS_MAX):
        if end < 0:
            return
        yield type_[:end]
        end = type_.find(".", end + 1)


def expression(asked: Asked) -> str:
    """Return the expression that matches what is asked for, apart from the time."""
    wanted = [_EVERY] if not asked.fields else []
    for name, value in asked.fields.items():
        stem = value.removesuffix(".*") if name == "type" else value
        wanted.append(_token("types" if stem != value else name, stem))
    every = [f'tags : "{token}"' for token in wanted]
    # Asking the same twice would cost twice as much.
    every += dict.fromkeys(_term(term) for term in asked.terms if not term.negative)
    none = list(dict.fromkeys(_term(term) for term in asked.terms if term.negative))
    found = "(" + " AND ".join(every) + ")"
    return f"{found} NOT ({' OR '.join(none)})" if none else found


def _term(term: Term) -> str:
    quoted = term.text.replace('"', '""')
    return f'text : "{quoted}"{" *" if term.prefix else ""}'


def _token(name: str, value: str) -> str:
    # Letters and digits only, so that it is one token whatever the value is.
    return hashlib.blake2b(f"{name} {value}".encode(), digest_size=10).hexdigest()
