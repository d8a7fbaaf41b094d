"""What is said of a store to which not everything has come that is carried there."""

from sukkal.carrying.arriving import what_is_missing
from sukkal.cli.doctor.verdict import Verdict, fail

__all__ = ["half_filled"]


def half_filled(place: str, value: bytes) -> Verdict:
    """Return that a store is not to be served, and what to do; ``value`` is that of the record which says so."""
    seen, _, todo = what_is_missing(value).partition(". ")
    return fail("store", f"{place} {seen}", todo)
