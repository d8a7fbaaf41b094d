"""Looking again whether somebody may still have what comes to a connection by itself."""

from collections.abc import Callable

from sukkal import limits
from sukkal.errors import SukkalError
from sukkal.transports.rechecking import until_refused
from sukkal.transports.websocket.call import Call
from sukkal.transports.websocket.connection import EXPIRED

__all__ = ["until_expired"]


async def until_expired(call: Call, ended: Callable[[], bool]) -> None:
    """Ask now and then whether the sender of a frame may still do this, and end the connection when not."""
    try:
        await until_refused(call.recheck, every_s=limits.WEBSOCKET_TOKEN_S, ended=ended)
    except SukkalError:
        call.connection.close(EXPIRED, "Authentication expired.")
