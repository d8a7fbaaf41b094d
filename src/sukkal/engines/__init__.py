"""Engines keep the data: each implements ``sukkal.store.Engine`` and passes ``sukkal.testing``."""

__all__: list[str] = []
