"""Makes the tables of Zaqar's management store: run by the interpreter of its own environment with the store's URI.

Zaqar's own command for that cannot do it on SQLite.
"""

import sys

import sqlalchemy
from zaqar.storage.sqlalchemy import tables

__all__: list[str] = []

if __name__ == "__main__":
    tables.metadata.create_all(sqlalchemy.create_engine(sys.argv[1]))
