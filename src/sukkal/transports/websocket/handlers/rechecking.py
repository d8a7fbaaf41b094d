"""Looking again whether somebody may still have what comes to a connection by itself."""

import asyncio
from collections.abc import Callable

from sukkal import limits
from sukkal.errors import SukkalError, Unavailable
from sukkal.transports.websocket.call import Call
from sukkal.transports.websocket.connection import EXPIRED

__all__ = ["until_expired"]


async def until_expired(call: Call, ended: Callable[[], bool]) -> None:
    """Ask now and then whether the sender of a frame may still do this, and end the connection when not."""
    while call.recheck is not None and not ended():
        await asyncio.sleep(limits.WEBSOCKET_TOKEN_S)
        try:
            await call.recheck()
        except Unavailable:
            continue
        except SukkalError:
            call.connection.close(EXPIRED, "Authentication expired.")
            return
