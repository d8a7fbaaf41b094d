"""What the operations mean: every rule once, one file per noun, whatever transport or engine is around it."""

__all__: list[str] = []
