"""Brings what another service keeps to a Sukkal, over the APIs of both. See ``docs/howto/move-from-zaqar.md``."""

__all__: list[str] = []
