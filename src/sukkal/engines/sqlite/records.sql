-- Control records, and the counts of a project. Each statement stands under its name; see statements.py.

-- A record that has expired and only waits to be swept makes room for a new one.
-- name: put_record
INSERT INTO records (kind, project, name, created_ms, expires_ms, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (kind, project, name) DO UPDATE SET
    created_ms = CASE WHEN expires_ms <= ?4 THEN ?4 ELSE created_ms END, expires_ms = ?5, value = ?6
RETURNING created_ms

-- The next three change nothing unless the record is as it was read.
-- name: add_record
INSERT INTO records (kind, project, name, created_ms, expires_ms, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (kind, project, name) DO UPDATE SET value = ?6, created_ms = ?4, expires_ms = ?5 WHERE expires_ms <= ?4

-- name: replace_record
UPDATE records SET expires_ms = ?6, value = ?7
WHERE kind = ?1 AND project = ?2 AND name = ?3 AND (expires_ms IS NULL OR expires_ms > ?4) AND value = ?5

-- name: remove_record
DELETE FROM records
WHERE value = ?5 AND kind = ?1 AND project = ?2 AND name = ?3 AND (expires_ms IS NULL OR expires_ms > ?4)

-- name: record
SELECT value, created_ms, expires_ms FROM records
WHERE kind = ?1 AND project = ?2 AND name = ?3 AND (expires_ms IS NULL OR expires_ms > ?4)

-- Expired ones too, but without their values: whoever reads bounds how many of them are met.
-- name: list_records
SELECT project, name, created_ms, expires_ms, CASE WHEN expires_ms <= ?1 THEN NULL ELSE value END FROM records
WHERE kind = ?2 AND (project, name) > (?3, ?4) ORDER BY project, name LIMIT ?5

-- name: delete_record
DELETE FROM records
WHERE kind = ?1 AND project = ?2 AND name = ?3 AND (expires_ms IS NULL OR expires_ms > ?4)

-- name: sweep_records
DELETE FROM records WHERE (kind, project, name) IN
    (SELECT kind, project, name FROM records WHERE expires_ms <= ? LIMIT ?)

-- name: count_project_queues
SELECT count(*) FROM queues WHERE project = ? AND kind IN ('queue', 'topic')

-- The join is crossed so that it begins with the project's queues. The length of a body is in its row's header.
-- name: count_project_messages
SELECT count(*), coalesce(sum(length(m.body)), 0)
FROM queues AS q CROSS JOIN messages AS m INDEXED BY messages_posted ON m.queue = q.number
WHERE q.project = ? AND q.kind IN ('queue', 'topic', 'history') AND m.expires_ms > ?

-- name: count_queue_messages
SELECT count(*), coalesce(sum(length(body)), 0) FROM messages INDEXED BY messages_posted
WHERE queue = ? AND expires_ms > ?

-- name: holds_messages
SELECT EXISTS (SELECT 1 FROM messages INDEXED BY messages_posted WHERE queue = ?)
