"""The Zaqar API over WebSocket: frames that name an action, answered in order on one connection."""

__all__: list[str] = []
