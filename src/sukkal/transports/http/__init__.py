"""The HTTP transport: plain functions from a request to a response, and an ASGI adapter that serves them."""

__all__: list[str] = []
