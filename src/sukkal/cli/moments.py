"""Times as people write and read them on the command line."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from sukkal import limits
from sukkal.errors import SettingsError

__all__ = ["moment", "shown"]

_SPAN: Final = re.compile(r"(\d{1,5})([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_TAKES: Final = "It takes 30d, 12h, 2w or 90m, a time with its zone such as 2027-01-01T00:00:00Z, or never."


def moment(text: str, now_ms: int) -> datetime | None:
    """Return the later time that a text means, ``None`` for never. Raises ``SettingsError``."""
    if text == "never":
        return None
    now = datetime.fromtimestamp(now_ms / limits.SECOND_MS, UTC)
    if match := _SPAN.fullmatch(text):
        found = now.replace(microsecond=0) + timedelta(**{_UNITS[match[2]]: int(match[1])})
    else:
        found = _point(text)
    if found <= now:
        raise SettingsError(f"--expires is {text!r}, which is over already. {_TAKES}")
    return found


def shown(at: datetime | None) -> str:
    """Return a time as people read it, and as ``moment`` takes it."""
    return "never" if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _point(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise SettingsError(f"--expires is {text!r}, which says no time zone. {_TAKES}")
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise SettingsError(f"--expires is {text!r}, which is no time. {_TAKES}") from None
