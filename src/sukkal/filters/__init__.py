"""Filters on events: what a filter means, how it is read, and why an event passed or not. All of it is pure."""

__all__: list[str] = []
