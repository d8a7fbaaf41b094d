"""Ports on 127.0.0.1 for servers that want to be told theirs."""

import socket

__all__ = ["free_port", "free_ports"]


def free_port() -> int:
    """Return a port that nobody listens on."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return so many ports that nobody listens on, each once."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports
