"""Finding the server that takes writes, among the several that a URL may name."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

import asyncpg

from sukkal.postgresql.failures import FAILURES

__all__ = ["Hosts"]

C = TypeVar("C")


class Hosts:
    """The servers of a URL, of which the one that was the primary last is asked first."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        user, at, hosts = parts.netloc.rpartition("@")
        self._urls = [_with_netloc(parts, f"{user}{at}{host}") for host in hosts.split(",")]
        self.place = f"{hosts}{parts.path}"

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        return len(self._urls) > 1

    async def connect(self, connect: Callable[[str, float], Awaitable[C]], *, within_s: float) -> C:
        """Return the first connection that is made; each host gets an equal share of the time."""
        share_s = within_s / len(self._urls)
        failed: BaseException | None = None
        for url in tuple(self._urls):
            try:
                made = await connect(url, share_s)
            except FAILURES as error:
                # What the first one says is what an operator has to know, unless another says more.
                failed = failed or error
                continue
            self._urls.remove(url)
            self._urls.insert(0, url)
            return made
        assert failed is not None  # noqa: S101 - there is a host
        if isinstance(failed, asyncpg.TargetServerAttributeNotMatched):
            raise ConnectionError("no server that is named takes writes") from failed
        raise failed


def _with_netloc(parts: SplitResult, netloc: str) -> str:
    return parts._replace(netloc=netloc).geturl()
