"""The CloudEvents SQL expression language, version 1.0: one module for each step from the text to the answer."""

__all__: list[str] = []
