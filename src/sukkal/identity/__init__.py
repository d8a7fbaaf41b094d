"""The ways to know who is calling: each module or package here is one."""

__all__: list[str] = []
