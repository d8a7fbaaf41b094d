"""How deliveries leave: a module for each kind of subscriber."""

__all__: list[str] = []
