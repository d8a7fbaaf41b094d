-- Statements for a store as a whole; see statements.py. What is staged is in no queue.

-- A node has it as long as it serves the store, together with others; who carries the store has it alone.
-- name: serve_store
SELECT pg_try_advisory_lock_shared(1400204139, 2)

-- name: have_store_alone
SELECT pg_try_advisory_lock(1400204139, 2)

-- name: last_number
SELECT greatest(
    (SELECT coalesce(max(greatest(last, removed)), 0) FROM places), (SELECT (max(last) + 1) * 4096 FROM marks)
)

-- name: all_queues
SELECT project, name, kind FROM queues
WHERE (project, kind, name) > ($1, $2, $3) AND kind NOT LIKE '~%' ORDER BY project, kind, name LIMIT $4

-- name: all_records
SELECT kind, project, name, value, created_ms, expires_ms FROM records
WHERE (kind, project, name) > ($1, $2, $3) AND (expires_ms IS NULL OR expires_ms > $4)
ORDER BY kind, project, name LIMIT $5

-- Whoever has an older place in a queue that is not there is told that something was given up.
-- name: forget_before
UPDATE marks SET dropped = last * 4096 + mark

-- name: bring_records
INSERT INTO records (kind, project, name, created_ms, expires_ms, value)
SELECT w.* FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bytea[])
    AS w (kind, project, name, created_ms, expires_ms, value)
ON CONFLICT (kind, project, name) DO UPDATE SET
    created_ms = excluded.created_ms, expires_ms = excluded.expires_ms, value = excluded.value
