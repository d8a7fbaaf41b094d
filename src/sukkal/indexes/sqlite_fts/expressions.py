"""Questions as expressions of the full-text index.

Nothing that a caller wrote stands in an expression but as a quoted string, so none of it can mean anything else there.
"""

from sukkal.indexes.tags import asked_tags
from sukkal.search import Asked, Term

__all__ = ["expression"]


def expression(asked: Asked) -> str:
    """Return the expression that matches what is asked for, apart from the time."""
    every = [f'tags : "{token}"' for token in asked_tags(asked)]
    # Asking the same twice would cost twice as much.
    every += dict.fromkeys(_term(term) for term in asked.terms if not term.negative)
    none = list(dict.fromkeys(_term(term) for term in asked.terms if term.negative))
    found = "(" + " AND ".join(every) + ")"
    return f"{found} NOT ({' OR '.join(none)})" if none else found


def _term(term: Term) -> str:
    quoted = term.text.replace('"', '""')
    return f'text : "{quoted}"{" *" if term.prefix else ""}'
