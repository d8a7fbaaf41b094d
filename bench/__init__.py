"""Measures the service against a no-op handler of the same server. See README.md."""

__all__: list[str] = []
