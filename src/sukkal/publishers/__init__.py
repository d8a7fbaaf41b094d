"""Publishers: where the forwarder's notifications go. The contract is ``sukkal.publisher``."""

__all__: list[str] = []
