"""The driver for oslo.messaging: RPC and notifications of OpenStack's services over a Sukkal."""

__all__: list[str] = []
