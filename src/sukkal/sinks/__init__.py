"""Sinks, one for each kind of subscriber."""

__all__: list[str] = []
