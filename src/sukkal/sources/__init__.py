"""Sources: where the forwarder's notifications come from. The contract is ``sukkal.source``."""

__all__: list[str] = []
