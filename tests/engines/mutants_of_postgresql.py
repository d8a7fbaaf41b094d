"""Bugs of the PostgreSQL engine, which its tests have to notice."""

from typing import Final

from tests.engines.mutant import Mutant

__all__ = ["MUTANTS_OF_POSTGRESQL"]

_FOLDER: Final = "src/sukkal/engines/postgresql"
_NODES: Final = ("tests/engines/test_postgresql_nodes.py",)
_COSTS: Final = ("tests/engines/test_postgresql_costs.py",)
_FUNCTIONS: Final = ("tests/engines/test_postgresql_functions.py",)
_MOVING: Final = ("tests/engines/test_postgresql_moving_nodes.py",)
_MOVES: Final = ("tests/engines/test_postgresql_moves.py",)
_FAULTS: Final = ("tests/engines/test_postgresql_faults.py",)


def _mutant(
    story: str, file: str, old: str, new: str, suites: tuple[str, ...] = ("tests/engines/test_postgresql.py",)
) -> Mutant:
    return Mutant(story, file, old, new, folder=_FOLDER, suites=suites)


MUTANTS_OF_POSTGRESQL: Final = (
    _mutant(
        "a claim also takes messages that are claimed or delayed",
        "functions/claiming.sql",
        "AND m.visible_ms <= now_ms AND m.expires_ms > now_ms\n        ORDER",
        "AND m.visible_ms <= now_ms + 9000 AND m.expires_ms > now_ms\n        ORDER",
    ),
    _mutant(
        "a claim takes what has expired",
        "functions/claiming.sql",
        "AND m.visible_ms <= now_ms AND m.expires_ms > now_ms\n        ORDER",
        "AND m.visible_ms <= now_ms\n        ORDER",
    ),
    _mutant(
        "a class of lifetimes with a bound that is too short",
        "functions/lifetimes.sql",
        "greatest(2 * (lifetime / 2), 1)",
        "greatest(lifetime / 2, 1)",
    ),
    _mutant(
        "the database takes lifetimes off the grid for exact ones",
        "functions/lifetimes.sql",
        "- 1)) + 1;",
        "- 1));",
        suites=_FUNCTIONS,
    ),
    _mutant(
        "what is given back stands before the bound from which claims begin",
        "functions/settling.sql",
        "        UPDATE places SET low_ms = free_ms WHERE queue = place.queue AND low_ms > free_ms;\n",
        "",
    ),
    _mutant(
        "what is posted stands before the bound from which claims begin",
        "functions/publishing.sql",
        "SET last = g.last, low_ms = least(p.low_ms, g.visible_ms)",
        "SET last = g.last",
    ),
    _mutant(
        "the bound from which claims begin passes by what was not taken",
        "functions/claiming.sql",
        "IF coalesce(cardinality(firsts), 0) < c_limit[nth] THEN",
        "IF true THEN",
    ),
    _mutant(
        "a shortened claim leaves its messages before the bound",
        "functions/settling.sql",
        "        UPDATE places SET low_ms = until_ms WHERE queue = its_queue AND low_ms > until_ms;\n",
        "",
        suites=_FUNCTIONS,
    ),
    _mutant(
        "the classes of what is given back are not noted",
        "functions/settling.sql",
        "        PERFORM note_classes(ARRAY[place.queue], ARRAY[its_lifetime]);\n",
        "",
    ),
    _mutant(
        "the classes of what is held longer are not noted",
        "functions/settling.sql",
        "INSERT INTO classes (queue, lifetime) SELECT DISTINCT h.queue, h.lifetime FROM held AS h\n",
        "INSERT INTO classes (queue, lifetime) SELECT DISTINCT h.queue, h.lifetime FROM held AS h WHERE false\n",
    ),
    _mutant(
        "an ended claim still settles",
        "functions/settling.sql",
        "AND c.id = c_claim[nth] AND c.expires_ms > c_now_ms[nth]\n            AND ends[c_queue[nth]] > c_now_ms[nth];",
        "AND c.id = c_claim[nth]\n            AND ends[c_queue[nth]] > c_now_ms[nth];",
    ),
    _mutant(
        "a claim settles what another one holds",
        "functions/settling.sql",
        "ELSIF place.claim <> claims_found[i_call[nth]] THEN",
        "ELSIF false THEN",
    ),
    _mutant(
        "a settlement may settle what was released before",
        "functions/settling.sql",
        "ELSIF place.claim IS NULL OR place.visible_ms <= now_ms THEN",
        "ELSIF place.claim IS NULL AND place.visible_ms < 0 THEN",
    ),
    _mutant(
        "what is settled is not noted as gone",
        "functions/settling.sql",
        "    PERFORM note_gone(gone_queues, gone_sequences);\n",
        "",
    ),
    _mutant(
        "what expires and is swept is not noted as gone",
        "functions/sweeping.sql",
        "    PERFORM note_gone(gone_queues, gone_sequences);\n",
        "",
    ),
    _mutant(
        "deleting by id spares nothing that is claimed",
        "functions/publishing.sql",
        "AND (c_claimed[i_call[nth]] OR m.claim IS NULL OR m.visible_ms <= now_ms)",
        "",
    ),
    _mutant(
        "a deletion spares messages whose claim has ended",
        "functions/publishing.sql",
        "OR m.claim IS NULL OR m.visible_ms <= now_ms)",
        "OR m.claim IS NULL)",
    ),
    _mutant(
        "an id that is there already is stored again",
        "functions/publishing.sql",
        ") THEN 0 ELSE w.queue END",
        ") AND false THEN 0 ELSE w.queue END",
    ),
    _mutant(
        "an id that has expired makes no room",
        "functions/publishing.sql",
        "AND m.expires_ms <= w.now_ms",
        "AND m.expires_ms < 0",
    ),
    _mutant(
        "a newer message with a key takes the place of a claimed one",
        "functions/publishing.sql",
        "m.lifetime <> -1 AND (m.claim IS NULL OR m.visible_ms <= w.now_ms)",
        "m.lifetime <> -1",
    ),
    _mutant(
        "a repeated post is stored again",
        "functions/publishing.sql",
        "AND (known IS NULL OR known[p.call] IS NULL)\n            THEN",
        "THEN",
    ),
    _mutant(
        "an idempotency key is never forgotten",
        "functions/publishing.sql",
        "AND o.key = c.key AND o.expires_ms > c.now_ms",
        "AND o.key = c.key",
    ),
    _mutant(
        "a post to a backlog that has ended is stored",
        "functions/publishing.sql",
        "CASE WHEN ends[p.queue] > c_now_ms[p.call] AND",
        "CASE WHEN",
        suites=_FUNCTIONS,
    ),
    _mutant(
        "a cleared queue keeps its number for who held it",
        "functions/queues.sql",
        "        EXIT WHEN locked =",
        "        EXIT WHEN true OR locked =",
        suites=_FUNCTIONS,
    ),
    _mutant(
        "sequences are given without holding the place",
        "functions/queues.sql",
        "ORDER BY queue FOR UPDATE",
        "ORDER BY queue",
        suites=_NODES,
    ),
    _mutant(
        "contents that were given up leave no mark",
        "functions/queues.sql",
        "dropped = (greatest(last, greatest_given / 4096) + 1)\n        * 4096 + mark",
        "dropped = dropped",
    ),
    _mutant(
        "contents after others may have smaller numbers",
        "functions/queues.sql",
        "SET last = greatest(last, greatest_given / 4096) + 1,",
        "SET last = last + 1,",
        suites=_FUNCTIONS,
    ),
    _mutant(
        "a message by its id is found in any queue",
        "queries.sql",
        "JOIN messages AS m ON m.queue = q.number AND m.id = w.id AND m.expires_ms > $5",
        "JOIN messages AS m ON m.id = w.id AND m.expires_ms > $5",
    ),
    _mutant(
        "an expired message is still got by its id",
        "queries.sql",
        "AND m.id = w.id AND m.expires_ms > $5",
        "AND m.id = w.id",
    ),
    _mutant(
        "a page does not say that something expired behind it",
        "queries.sql",
        "coalesce(bool_or(e.expires_ms <= $4 AND e.sequence > $5), false)",
        "false",
    ),
    _mutant(
        "a page does not say that something expired behind it which was set aside or never free",
        "queries.sql",
        "UNION ALL SELECT unnest('{-1,0}'::bigint[]), 9223372036854775807",
        "",
    ),
    _mutant(
        "a page passes by what has expired of lifetimes that share a class",
        "queries.sql",
        "$4 - c.lifetime / 2 * 1000 AS until_ms",
        "$4 - longest_ms(c.lifetime) AS until_ms",
    ),
    _mutant(
        "a page steps over what other queues have left",
        "queries.sql",
        "WHERE m.queue = its.number AND m.lifetime = c.lifetime AND m.visible_ms <= c.until_ms",
        "WHERE m.expires_ms <= $4 OR m.queue = its.number AND m.lifetime = c.lifetime",
        suites=_COSTS,
    ),
    _mutant(
        "a backlog outlives its subscription in listings",
        "queries.sql",
        "    WHERE q.project = $1 AND q.kind = $2 AND q.name = $3 AND (q.ends_ms IS NULL OR q.ends_ms > $4)\n), page",
        "    WHERE q.project = $1 AND q.kind = $2 AND q.name = $3\n), page",
    ),
    _mutant(
        "a queue goes that was posted to",
        "queries.sql",
        "AND p.last <= $5 AND NOT EXISTS",
        "AND NOT EXISTS",
    ),
    _mutant(
        "a gap is not noted",
        "queries.sql",
        "SET last = last + 1, removed = last + 1",
        "SET last = last + 1",
    ),
    Mutant(
        "the index takes another connection in place of one whose commit does not end",
        "writers.py",
        "    def _give_up(self) -> None:\n",
        "    def _give_up(self) -> None:\n        self._connection.terminate()\n",
        folder="src/sukkal/indexes/postgresql",
        suites=("tests/indexes/test_postgresql_standing_still.py",),
    ),
    _mutant(
        "one lookup that the database cannot make takes the others with it",
        "engine.py",
        "            except SukkalError as refused:\n",
        "            except QueueMoved as refused:\n",
        suites=_FAULTS,
    ),
    _mutant(
        "claims step over what was claimed before",
        "functions/claiming.sql",
        "free_messages(its_queue, lows[c_queue[nth]], -1",
        "free_messages(its_queue, 0, -1",
        suites=_COSTS,
    ),
    _mutant(
        "claims step over what has expired",
        "functions/claiming.sql",
        "greatest(low_ms - 1, after_ms, now_ms - longest_ms(c.lifetime)),",
        "greatest(low_ms - 1, after_ms),",
        suites=_COSTS,
    ),
    _mutant(
        "listings step over what is gone",
        "functions/queues.sql",
        "first = CASE WHEN p.gone + g.count < 1000 THEN p.first ELSE",
        "first = CASE WHEN p.gone + g.count < 1000000 THEN p.first ELSE",
        suites=_COSTS,
    ),
    _mutant(
        "a queue that is held is written to",
        "functions/queues.sql",
        "IF its.any_held OR 0 = ANY",
        "IF 0 = ANY",
        _MOVING,
    ),
    _mutant(
        "a queue is made that is held before it exists",
        "functions/queues.sql",
        "    PERFORM refuse_marked(ARRAY[its_project], ARRAY[its_kind], ARRAY[its_name]);\n",
        "",
        _MOVING,
    ),
    _mutant(
        "what a sweep removes of a followed queue is not noted",
        "functions/sweeping.sql",
        "SELECT bool_or(p.followed)",
        "SELECT false AND bool_or(p.followed)",
        _MOVING,
    ),
    _mutant(
        "changes of all queues are noted while one is followed",
        "migrations/0002_moving.sql",
        "WHERE queue = its_queue AND followed",
        "WHERE queue = its_queue",
        _MOVING,
    ),
    _mutant(
        "whoever has an old place in a queue that moved is not told",
        "functions/moving.sql",
        "SET last = last + 1, removed = last + 1",
        "SET last = last + 1",
        _MOVES,
    ),
    _mutant(
        "a latest-only queue replaces what was set aside",
        "functions/publishing.sql",
        "AND m.lifetime <> -1 AND (m.claim",
        "AND (m.claim",
    ),
)
