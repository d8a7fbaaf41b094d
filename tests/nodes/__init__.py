"""Several nodes at one store."""
