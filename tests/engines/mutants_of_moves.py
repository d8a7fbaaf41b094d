"""Bugs of moves of which several movers try their hands, which their tests have to notice."""

from typing import Final

from tests.engines.mutant import Mutant

__all__ = ["MUTANTS_OF_MOVES"]

_ENGINES: Final = ("src/sukkal/engines", ("tests/pools/test_moving_contract.py",))
_SQLITE: Final = ("src/sukkal/engines/sqlite", ("tests/pools/test_moving_contract.py",))
_POSTGRESQL: Final = ("src/sukkal/engines/postgresql", ("tests/engines/test_postgresql_moves.py",))
_PLACES: Final = ("src/sukkal/pools", ("tests/pools/test_places.py",))
_POOLS: Final = ("src/sukkal/pools", ("tests/pools/test_late_movers.py",))

MUTANTS_OF_MOVES: Final = (
    Mutant("an earlier mover takes a hold", "holds.py", " or marker.token > token)", ")", *_ENGINES),
    Mutant("an earlier mover holds what a later one follows", "holds.py", "follower > token or ", "", *_ENGINES),
    Mutant("an earlier mover lets go", "holds.py", " and marker.token <= token\n", "\n", *_ENGINES),
    Mutant("a queue is given up that nobody holds", "holds.py", "if there or (", "if (", *_ENGINES),
    Mutant("what another mover has staged is opened", "holds.py", "and staged != token", "and False", *_ENGINES),
    Mutant("pages of large messages have no end", "pages.py", "and size >= bytes_max", "and False", *_ENGINES),
    Mutant("what a later mover has staged is dropped", "moving.py", " and entry.token <= token:", ":", *_SQLITE),
    Mutant(
        "a queue that is there is replaced",
        "moving.py",
        "if catalogue.present(key) is not None:",
        "if catalogue.present(key) is None and False:",
        *_SQLITE,
    ),
    Mutant(
        "an earlier mover lets go in the database",
        "moving.sql",
        "AND m.until_ms IS NULL AND m.token <= $4",
        "AND m.until_ms IS NULL AND m.token <= $4 + 1000000",
        *_POSTGRESQL,
    ),
    Mutant(
        "an earlier mover ends the noting of changes in the database",
        "moving.sql",
        "AND follower <= $2 RETURNING",
        "AND follower <= $2 + 1000000 RETURNING",
        *_POSTGRESQL,
    ),
    Mutant(
        "what another mover has staged is added to in the database",
        "functions/moving.sql",
        "IF staged_with <> its_token THEN",
        "IF false THEN",
        *_POSTGRESQL,
    ),
    Mutant(
        "what another mover has staged is opened in the database",
        "functions/moving.sql",
        "WHERE number = its_queue AND token <> its_token)",
        "WHERE false)",
        *_POSTGRESQL,
    ),
    Mutant(
        "a target is opened without a note",
        "moving.py",
        "            await taken.change(opening=taken.token)\n",
        "",
        *_POOLS,
    ),
    Mutant("a move goes on that another one has taken", "moving.py", "await taken.change()\n", "\n", *_POOLS),
    Mutant("a hold of who is gone stays", "moving.py", "if not taken.first:", "if False:", *_POOLS),
    Mutant("a queue goes back by a move long ago", "places.py", " or place.moved > token", "", *_PLACES),
)
