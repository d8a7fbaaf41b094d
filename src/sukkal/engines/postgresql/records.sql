-- Control records, and the counts of a project. Each statement stands under its name; see statements.py.

-- A record that has expired and only waits to be swept makes room for a new one.
-- name: put_record
INSERT INTO records AS r (kind, project, name, created_ms, expires_ms, value) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (kind, project, name) DO UPDATE SET
    created_ms = CASE WHEN r.expires_ms <= $4 THEN $4 ELSE r.created_ms END, expires_ms = $5, value = $6
RETURNING created_ms

-- name: add_record
INSERT INTO records AS r (kind, project, name, created_ms, expires_ms, value) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (kind, project, name) DO UPDATE SET created_ms = $4, expires_ms = $5, value = $6 WHERE r.expires_ms <= $4

-- Of several at once each looks at the row again when the one before it has committed.
-- name: replace_record
UPDATE records SET expires_ms = $6, value = $7
WHERE kind = $1 AND project = $2 AND name = $3 AND (expires_ms IS NULL OR expires_ms > $4) AND value = $5

-- name: remove_record
DELETE FROM records
WHERE kind = $1 AND project = $2 AND name = $3 AND (expires_ms IS NULL OR expires_ms > $4) AND value = $5

-- name: record
SELECT value, created_ms, expires_ms FROM records
WHERE kind = $1 AND project = $2 AND name = $3 AND (expires_ms IS NULL OR expires_ms > $4)

-- Expired ones too, but without their values: whoever reads bounds how many of them are met.
-- name: list_records
SELECT s.project, s.name, s.created_ms, s.expires_ms, CASE WHEN s.expires_ms <= $1 THEN NULL ELSE s.value END, s.nth
FROM (
    SELECT r.*, row_number() OVER (ORDER BY r.project, r.name) AS nth FROM (
        SELECT * FROM records WHERE kind = $2 AND (project, name) > ($3, $4) ORDER BY project, name LIMIT $5
    ) AS r
) AS s
WHERE s.expires_ms IS NULL OR s.expires_ms > $1 OR s.nth = $5
ORDER BY s.project, s.name LIMIT $6

-- The same of one project: asked of all, it would read on to the end if the project has few.
-- name: list_records_of
SELECT s.project, s.name, s.created_ms, s.expires_ms, CASE WHEN s.expires_ms <= $1 THEN NULL ELSE s.value END, s.nth
FROM (
    SELECT r.*, row_number() OVER (ORDER BY r.name) AS nth FROM (
        SELECT * FROM records WHERE kind = $2 AND project = $3 AND name > $4 ORDER BY name LIMIT $5
    ) AS r
) AS s
WHERE s.expires_ms IS NULL OR s.expires_ms > $1 OR s.nth = $5
ORDER BY s.name LIMIT $6

-- name: delete_record
DELETE FROM records
WHERE kind = $1 AND project = $2 AND name = $3 AND (expires_ms IS NULL OR expires_ms > $4)

-- name: sweep_records
DELETE FROM records WHERE (kind, project, name) IN
    (SELECT kind, project, name FROM records WHERE expires_ms <= $1 LIMIT $2)

-- name: usage
SELECT (SELECT count(*) FROM queues WHERE project = $1 AND kind IN ('queue', 'topic')),
    (SELECT count(*) FROM subscriptions WHERE project = $1 AND kind IN ('queue', 'topic') AND expires_ms > $2),
    count(m.sequence), coalesce(sum(length(m.body)), 0)::bigint
FROM queues AS q JOIN messages AS m ON m.queue = q.number AND m.expires_ms > $2
WHERE q.project = $1 AND q.kind IN ('queue', 'topic', 'history')

-- name: usage_of
SELECT count(*), coalesce(sum(length(m.body)), 0)::bigint
FROM queues AS q JOIN messages AS m ON m.queue = q.number AND m.expires_ms > $4
WHERE q.project = $1 AND q.kind = $2 AND q.name = $3 AND (q.ends_ms IS NULL OR q.ends_ms > $4)
    AND is_here($1, $2, $3)
