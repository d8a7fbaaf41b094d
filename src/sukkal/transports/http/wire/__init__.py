"""A server of our own for the functions that answer requests, on httptools and uvloop, without ASGI in between."""

from sukkal.transports.http.wire.server import WireServer

__all__ = ["WireServer"]
