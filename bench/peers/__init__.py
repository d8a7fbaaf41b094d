"""Measures the service beside what a user might pick instead. See docs/explanation/peers.md."""

__all__: list[str] = []
