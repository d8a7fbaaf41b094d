"""What the tests of indexes share."""

from tests.engines.conftest import postgresql

__all__ = ["postgresql"]
