"""What a check has found."""

from typing import Final, NamedTuple

__all__ = ["FAIL", "OK", "SKIPPED", "WARN", "Verdict", "fail", "ok", "skipped", "warn"]

OK: Final = "ok"
WARN: Final = "warn"
FAIL: Final = "fail"
SKIPPED: Final = "skipped"


class Verdict(NamedTuple):
    """The ``state`` of what was checked, what was seen, and what to do about it."""

    check: str
    state: str
    seen: str
    todo: str = ""


def ok(check: str, seen: str) -> Verdict:
    """Return that all is well."""
    return Verdict(check, OK, seen)


def warn(check: str, seen: str, todo: str) -> Verdict:
    """Return that it works, but not for long or not for everybody."""
    return Verdict(check, WARN, seen, todo)


def fail(check: str, seen: str, todo: str) -> Verdict:
    """Return that it does not work."""
    return Verdict(check, FAIL, seen, todo)


def skipped(check: str, why: str) -> Verdict:
    """Return that there was nothing to check."""
    return Verdict(check, SKIPPED, why)
