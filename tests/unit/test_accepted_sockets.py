"""What the system is asked to do for accepted connections."""

import asyncio
import os
import socket
from typing import Any, Final

import pytest

from sukkal.settings import Settings
from sukkal.transports.http.server import HttpServer, Sockets, listening_socket
from sukkal.transports.websocket.conversations import is_socket_path
from sukkal.transports.websocket.server import guarded_websocket

SETTINGS: Final = Settings(listen="127.0.0.1:0", store="memory://", client_read_timeout_s=7, shutdown_grace_s=0)
UPGRADE: Final = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


@pytest.mark.parametrize("more", [b"", UPGRADE], ids=["http", "websocket"])
def test_a_peer_that_acknowledges_nothing_is_left_after_the_time_to_read(more: bytes) -> None:
    async def main() -> int:
        called = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            called.set()
            await asyncio.Event().wait()

        bound = listening_socket(SETTINGS.address, SETTINGS)
        server = HttpServer(app, SETTINGS, sockets=Sockets(guarded_websocket(SETTINGS), is_socket_path, 1_000))
        serving = asyncio.ensure_future(server.serve(sockets=[bound]))
        _, writer = await asyncio.open_connection(*bound.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n" + more + b"\r\n")
        await called.wait()
        [protocol] = server.server_state.connections
        with socket.socket(fileno=os.dup(protocol.transport.get_extra_info("socket").fileno())) as accepted:
            found = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        writer.close()
        server.stop()
        await serving
        return found

    assert asyncio.run(main()) == SETTINGS.client_read_timeout_s * 1_000
