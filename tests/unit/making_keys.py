"""Makes API keys for tests, always the same ones."""

from datetime import UTC, datetime
from typing import Any, Final

from sukkal.identity.keys import Key, create_key
from sukkal.testing import FakeClock

__all__ = ["START_MS", "make"]

START_MS: Final = FakeClock()()


def make(number: int = 1, *, project: str = "p", expires_ms: int | None = None, **given: Any) -> tuple[Key, str]:
    """Return a key and its text, always the same for a number."""
    expires = None if expires_ms is None else datetime.fromtimestamp(expires_ms / 1_000, UTC)
    options: dict[str, Any] = {"name": f"key {number}", "roles": ["member"]} | given
    return create_key(
        project=project, expires=expires, now_ms=START_MS, draw=lambda count: bytes([number]) * count, **options
    )
