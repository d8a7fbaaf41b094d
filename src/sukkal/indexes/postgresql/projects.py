"""The row of a project, which whoever writes for it holds until the commit."""

import msgspec

from sukkal.indexes.postgresql.statements import SQL
from sukkal.postgresql import Connection

__all__ = ["Project", "lock", "note"]


class Project(msgspec.Struct, frozen=True):
    """The number that stands for a project, the last number that was given in it, and the bytes kept."""

    number: int
    last: int
    bytes: int


async def lock(connection: Connection, name: str) -> Project:
    """Make the project if need be, and keep all others from writing for it until the end of the transaction."""
    while (row := await connection.fetchrow(SQL.lock_project, name)) is None:
        await connection.execute(SQL.make_project, name)
    return Project(*row)


async def note(connection: Connection, project: Project, *, last: int, more: int) -> int:
    """Note the last number and that so many bytes more are kept, and return how many these are now."""
    kept: int = await connection.fetchval(SQL.note_project, project.number, last, more)
    return kept
