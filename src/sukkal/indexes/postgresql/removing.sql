-- The statements of the sweep; see queries.sql. Those that remove entries return how many these were, and their bytes.

-- Projects behind a name in which there may be something to do, of so many that are looked at.
-- name: to_sweep
WITH looked_at AS MATERIALIZED (
    SELECT project, number, bytes FROM projects WHERE project > $1 ORDER BY project LIMIT $4
)
SELECT p.project,
    EXISTS (SELECT 1 FROM entries AS e WHERE e.project = p.number AND e.shelf = 0 AND e.indexed_ms < $2)
    OR EXISTS (
        SELECT 1 FROM entries AS e WHERE e.project = p.number AND e.shelf = 1 AND e.deleted AND e.indexed_ms < $2
    )
    OR EXISTS (SELECT 1 FROM types AS t WHERE t.project = p.number AND t.last_ms < $2)
    OR EXISTS (SELECT 1 FROM dropped AS d WHERE d.project = p.number AND NOT d.emptied)
    OR EXISTS (SELECT 1 FROM dropped AS d WHERE d.project = p.number AND d.emptied AND d.dropped_ms < $2)
    OR p.bytes > $3
    OR NOT EXISTS (SELECT 1 FROM entries AS e WHERE e.project = p.number)
FROM looked_at AS p ORDER BY p.project

-- What another node is at needs no second one.
-- name: lock_to_sweep
SELECT number, last, bytes FROM projects WHERE project = $1 FOR UPDATE SKIP LOCKED

-- name: old_events
WITH removed AS (
    DELETE FROM entries WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM entries WHERE project = $1 AND shelf = 0 AND indexed_ms < $2
        ORDER BY indexed_ms, seq LIMIT $3
    )) RETURNING size
)
SELECT count(*), coalesce(sum(size), 0)::bigint FROM removed

-- name: old_deleted_resources
WITH removed AS (
    DELETE FROM entries WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM entries WHERE project = $1 AND shelf = 1 AND deleted AND indexed_ms < $2
        ORDER BY indexed_ms LIMIT $3
    )) RETURNING size
)
SELECT count(*), coalesce(sum(size), 0)::bigint FROM removed

-- Those that came first, until no more than so many bytes too many are left.
-- name: first
WITH removed AS (
    DELETE FROM entries WHERE ctid = ANY(ARRAY(
        SELECT place FROM (
            SELECT place, sum(size) OVER (ORDER BY seq) - size AS before FROM (
                SELECT ctid AS place, seq, size FROM entries WHERE project = $1 AND shelf = $2 ORDER BY seq LIMIT $4
            ) AS f
        ) AS o WHERE before < $3
    )) RETURNING size
)
SELECT count(*), coalesce(sum(size), 0)::bigint FROM removed

-- name: queue_to_empty
SELECT queue, kind, seq FROM dropped WHERE project = $1 AND NOT emptied LIMIT 1

-- name: of_queue
WITH removed AS (
    DELETE FROM entries WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM entries WHERE project = $1 AND queue = $2 AND kind = $3 AND seq <= $4
        ORDER BY seq LIMIT $5
    )) RETURNING size
)
SELECT count(*), coalesce(sum(size), 0)::bigint FROM removed

-- name: note_emptied
UPDATE dropped SET emptied = true WHERE project = $1 AND queue = $2 AND kind = $3

-- name: forget_dropped
DELETE FROM dropped WHERE project = $1 AND emptied AND dropped_ms < greatest($2, coalesce((
    SELECT dropped_ms FROM dropped WHERE project = $1 AND emptied
    ORDER BY dropped_ms DESC OFFSET $3 LIMIT 1
), $2))

-- name: old_types
WITH old AS (DELETE FROM types WHERE project = $1 AND last_ms < $2 RETURNING type)
DELETE FROM producers AS p USING old WHERE p.project = $1 AND p.type = old.type

-- name: forget_empty_project
DELETE FROM projects AS p WHERE p.number = $1
    AND NOT EXISTS (SELECT 1 FROM entries AS e WHERE e.project = p.number)
    AND NOT EXISTS (SELECT 1 FROM types AS t WHERE t.project = p.number)
    AND NOT EXISTS (SELECT 1 FROM dropped AS d WHERE d.project = p.number)

-- name: gone
SELECT number FROM gone ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED

-- name: of_gone
WITH removed AS (
    DELETE FROM entries WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM entries WHERE project = $1 ORDER BY project, shelf, seq LIMIT $2
    )) RETURNING size
)
SELECT count(*), coalesce(sum(size), 0)::bigint FROM removed

-- name: forget_gone
WITH types_gone AS (DELETE FROM types WHERE project = $1),
    producers_gone AS (DELETE FROM producers WHERE project = $1),
    dropped_gone AS (DELETE FROM dropped WHERE project = $1)
DELETE FROM gone WHERE number = $1

-- name: less_bytes
UPDATE projects SET bytes = bytes - $2 WHERE number = $1
