"""What an operator is told when a database cannot be used."""

import contextlib
from collections.abc import Iterator

import asyncpg

from sukkal.errors import StartupError
from sukkal.postgresql.failures import FAILURES

__all__ = ["told"]


@contextlib.contextmanager
def told(place: str) -> Iterator[None]:
    """Raise ``StartupError``, which says what to do, for what goes wrong at a place."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise StartupError(
            f"The user may not make tables in {place}: {error}. Let it own the database, or grant it CREATE there; the "
            "setting is `store`."
        ) from error
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise StartupError(
            f"{place} does not let this user in: {error}. Check the user and the password in the setting `store`, and "
            "the server's pg_hba.conf."
        ) from error
    except asyncpg.InvalidCatalogNameError as error:
        raise StartupError(
            f"{place} is no database: {error}. Create it, or name another in the setting `store`."
        ) from error
    except (*FAILURES, ValueError) as error:
        raise StartupError(
            f"PostgreSQL at {place} does not answer: {str(error) or type(error).__name__}. Check that the server runs "
            "and can be reached from here; the setting is `store`."
        ) from error
