"""Frames over a WebSocket: requests with their answers, and what the service tells by itself."""

import json
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from sukkal.client.errors import Unexpected, Unreachable
from sukkal.client.refusals import refusal_of

__all__ = ["Frames"]

_SUCCEEDED: Final = range(200, 300)
_OVER: Final = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


class Frames:
    """A connection over which one request is made at a time. ``headers`` stand in each."""

    def __init__(self, opened: "aiohttp.ClientWebSocketResponse[bool]", headers: Mapping[str, str]) -> None:
        self._opened = opened
        self._headers = dict(headers)
        self._told: deque[Mapping[str, Any]] = deque()

    async def ask(self, action: str, body: Mapping[str, Any], *, timeout_s: float) -> Mapping[str, Any]:
        """Return what the answer says. Raises ``Refused``, ``Unreachable``."""
        request = json.dumps({"action": action, "headers": self._headers, "body": body}, ensure_ascii=False)
        try:
            await self._opened.send_str(request)
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"The connection broke: {error}") from None
        while "request" not in (frame := await self._receive(timeout_s)):
            self._told.append(frame)
        headers, said = frame.get("headers"), frame.get("body")
        if not isinstance(headers, dict) or not isinstance(said, dict):
            raise Unexpected("What answered is not the service: its frame is not one of the service's.")
        status = int(headers.get("status", 0))
        if status not in _SUCCEEDED:
            code = str(said.get("code", ""))
            raise refusal_of(status, code)(status, str(said.get("error", "The service gave no reason.")), code=code)
        return said

    async def tell(self) -> Mapping[str, Any]:
        """Return the next frame that nobody asked for. Raises ``Unreachable`` when the connection has ended."""
        return self._told.popleft() if self._told else await self._receive(None)

    async def close(self) -> None:
        """End the connection."""
        await self._opened.close()

    async def _receive(self, timeout_s: float | None) -> Mapping[str, Any]:
        try:
            message = await self._opened.receive(timeout_s)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"The connection broke: {str(error) or type(error).__name__}") from None
        if message.type in _OVER:
            raise Unreachable(f"The connection was closed: {self._opened.close_code} {message.extra or ''}".rstrip())
        try:
            frame = json.loads(message.data)
        except (TypeError, ValueError, RecursionError):
            frame = None
        if not isinstance(frame, dict):
            raise Unexpected("What answered is not the service: its frame is not one of the service's.")
        return frame
