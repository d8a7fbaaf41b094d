"""Timestamps: those of RFC 3339, and those without a zone that OpenStack's services write, which are UTC."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from sukkal.limits import SECOND_MS

__all__ = ["instant", "naive_utc", "rfc3339", "rfc3339_of_ms"]

_RFC3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))", re.ASCII
)
_NAIVE: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{6})?", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The end of the year 9999.
_MOMENT_MS_MAX: Final = 253_402_300_799_999


def instant(text: str) -> datetime | None:
    """Return the moment of a timestamp of RFC 3339 in UTC, to the microsecond; ``None`` if it is not one."""
    if not (found := _RFC3339.fullmatch(text)):
        return None
    day, minute, second, fraction, sign, hours, minutes = found.groups()
    try:
        # A leap second is told as the one before it, which is the best that a datetime can do.
        local = datetime.fromisoformat(f"{day}T{minute}:{'59' if second == '60' else second}+00:00")
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        moment = local + offset if sign == "-" else local - offset
    except (ValueError, OverflowError):
        return None
    return moment.replace(microsecond=int(f"{fraction or 0:0<6}"[:6]))


def rfc3339(moment: datetime) -> str:
    """Return the timestamp of a moment that is in UTC."""
    return moment.replace(tzinfo=None).isoformat() + "Z"


def rfc3339_of_ms(moment_ms: int) -> str:
    """Return the timestamp of milliseconds since the Unix epoch; what lies after the year 9999 is its end."""
    moment_ms = min(moment_ms, _MOMENT_MS_MAX)
    moment = _EPOCH + timedelta(seconds=moment_ms // SECOND_MS)
    return f"{moment.replace(tzinfo=None).isoformat()}.{moment_ms % SECOND_MS:03}Z"


def naive_utc(text: object) -> datetime | None:
    """Return the moment of a timestamp without a zone, as Python writes a datetime; ``None`` if it is not one."""
    if not (isinstance(text, str) and _NAIVE.fullmatch(text)):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
