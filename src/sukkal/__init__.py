"""Sukkal carries messages and notifications between the services, users and machines of a cloud."""

__version__ = "0.1.0"

__all__ = ["__version__"]
