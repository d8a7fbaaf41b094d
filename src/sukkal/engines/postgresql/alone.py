"""Having a database alone: nodes that serve it and those who carry it away keep each other out."""

from sukkal.engines.postgresql.database import Connection, Database
from sukkal.engines.postgresql.failures import FAILURES
from sukkal.engines.postgresql.statements import SQL
from sukkal.errors import DataInUse, StartupError

__all__ = ["check_served", "have_alone", "serves"]


async def serves(connection: Connection) -> bool:
    """Have others know, as long as the connection lives, that a node serves the store; tell whether it may."""
    return bool(await connection.fetchval(SQL.serve_store))


async def check_served(database: Database) -> None:
    """Raise ``DataInUse`` while somebody carries the store."""
    try:
        connection = await database.connect()
        may = await serves(connection)
        await connection.close()
    except FAILURES as error:
        raise StartupError(f"PostgreSQL at {database.place} does not answer: {error}") from error
    if not may:
        raise DataInUse(
            f"The data in {database.place} are just being moved by `sukkal migrate` or `sukkal restore`. Start the "
            "service when that has ended."
        )


async def have_alone(database: Database) -> Connection:
    """Return a connection for as long as which no node serves the store. Raises ``DataInUse``."""
    try:
        connection = await database.connect()
        alone = bool(await connection.fetchval(SQL.have_store_alone))
    except FAILURES as error:
        raise StartupError(f"PostgreSQL at {database.place} does not answer: {error}") from error
    if not alone:
        connection.terminate()
        raise DataInUse(f"The data in {database.place} are in use. Stop all services that serve them first.")
    return connection
