"""The forwarder: notifications from sources go through steps to publishers, each of which goes on at its own pace."""

__all__: list[str] = []
