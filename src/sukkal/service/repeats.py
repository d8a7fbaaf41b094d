"""Repeats: knowing posts again by their names, so that what is posted again changes nothing.

Clients name a post by an idempotency key. Names that the service gives itself have a space, which no key has, so that
nobody can take one of them.
"""

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final

import msgspec

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.model import Once, QueueKey
from sukkal.repetitions import Repetitions
from sukkal.settings import Settings

__all__ = ["Repeats", "check_key", "own_name"]

_KEY: Final = re.compile(rf"[!-~]{{1,{limits.IDEMPOTENCY_KEY_CHARS_MAX}}}")


def check_key(idempotency_key: str) -> None:
    """Refuse what cannot be a client's key. Raises ``InvalidRequest``."""
    if not _KEY.fullmatch(idempotency_key):
        raise InvalidRequest(
            f"The header Idempotency-Key must have 1 to {limits.IDEMPOTENCY_KEY_CHARS_MAX} printable ASCII "
            "characters without spaces."
        )


def own_name(*parts: str) -> str:
    """Return a name of the service's own for a post; there are two parts at least."""
    return " ".join(parts)


class Repeats:
    """Remembers posts for as long as the settings say."""

    def __init__(self, repetitions: Repetitions, settings: Settings, now_ms: Callable[[], int]) -> None:
        self._repetitions = repetitions
        self._window_ms = settings.idempotency_window_s * limits.SECOND_MS
        self._now_ms = now_ms
        self._busy: dict[tuple[QueueKey, str], asyncio.Future[None]] = {}

    def act(self, name: str, content: object = None) -> Once:
        """Return what a post is known again by. With ``content``, another one under the same name is a conflict."""
        fingerprint = b"" if content is None else hashlib.sha256(msgspec.json.encode(content)).digest()
        return Once(key=name, fingerprint=fingerprint, expires_ms=self._now_ms() + self._window_ms)

    async def earlier(self, key: QueueKey, acts: Sequence[Once]) -> Mapping[str, tuple[str, ...]]:
        """Return the ids of the posts that there were. Raises ``IdempotencyConflict``."""
        return await self._repetitions.earlier(key, acts, now_ms=self._now_ms())

    @contextlib.asynccontextmanager
    async def known(self, key: QueueKey, acts: Sequence[Once]) -> AsyncIterator[Mapping[str, tuple[str, ...]]]:
        """Give the ids of the posts that there were, once nothing else is posted under their names, and keep it so.

        Raises ``IdempotencyConflict``.
        """
        places = {(key, act.key) for act in acts}
        while others := {self._busy[place] for place in places if place in self._busy}:
            await asyncio.wait(others)
        done = asyncio.get_running_loop().create_future()
        self._busy |= dict.fromkeys(places, done)
        try:
            yield await self.earlier(key, acts)
        finally:
            for place in places:
                del self._busy[place]
            done.set_result(None)
