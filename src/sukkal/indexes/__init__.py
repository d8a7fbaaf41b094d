"""Indexes find events: each implements ``sukkal.search.SearchIndex`` and passes ``sukkal.testing``."""

__all__: list[str] = []
