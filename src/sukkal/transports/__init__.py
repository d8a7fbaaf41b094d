"""Transports decode a request, make one call of the service, and encode the answer. They hold no rules."""

__all__: list[str] = []
