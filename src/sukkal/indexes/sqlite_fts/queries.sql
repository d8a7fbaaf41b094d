-- The index's statements; see sukkal.sql.

-- name: begin
BEGIN IMMEDIATE

-- name: commit
COMMIT

-- name: rollback
ROLLBACK

-- name: event
SELECT e.seq, e.size, e.queue = ?2 AND e.kind = ?3, EXISTS (
    SELECT 1 FROM dropped AS d WHERE d.queue = e.queue AND d.kind = e.kind AND e.seq <= d.event_seq
)
FROM events AS e WHERE e.identity = ?1

-- name: put_event
INSERT INTO events
    (identity, type, source, queue, kind, message_id, posted_ms, indexed_ms, resource_type, resource_id, deleted, size,
     event)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: put_event_words
INSERT INTO event_words (rowid, tags, text) VALUES (?, ?, ?)

-- name: resource
SELECT e.seq, e.size, e.time_ms, e.deleted, e.queue = ?2 AND e.kind = ?3, EXISTS (
    SELECT 1 FROM dropped AS d WHERE d.queue = e.queue AND d.kind = e.kind AND e.seq <= d.resource_seq
)
FROM resources AS e WHERE e.identity = ?1

-- name: put_resource
INSERT INTO resources
    (identity, type, source, queue, kind, message_id, time_ms, posted_ms, indexed_ms, resource_type, resource_id,
     deleted, size, event)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: put_resource_words
INSERT INTO resource_words (rowid, tags, text) VALUES (?, ?, ?)

-- name: delete_event
DELETE FROM events WHERE seq = ?

-- name: delete_event_words
DELETE FROM event_words WHERE rowid = ?

-- name: delete_resource
DELETE FROM resources WHERE seq = ?

-- name: delete_resource_words
DELETE FROM resource_words WHERE rowid = ?

-- name: put_kept
INSERT INTO kept (project, bytes) VALUES (?, 0)

-- name: kept
SELECT bytes FROM kept

-- name: add_bytes
UPDATE kept SET bytes = bytes + ?

-- The order of what is kept is that of the full-text index, newest first; the bounds of the numbers are used in it.
-- An event that came to several queues is shown where it came first of those that are still there.
-- name: find_events
SELECT e.seq, e.queue, e.message_id, e.posted_ms, e.event, e.resource_type, e.resource_id, e.deleted
FROM event_words AS w CROSS JOIN events AS e ON e.seq = w.rowid
WHERE w.event_words MATCH :match AND w.rowid < :before AND w.rowid >= :first AND e.posted_ms >= :since
    AND NOT EXISTS (
        SELECT 1 FROM dropped AS d WHERE d.queue = e.queue AND d.kind = e.kind AND e.seq <= d.event_seq
    )
    AND NOT EXISTS (
        SELECT 1 FROM events AS o
        WHERE o.identity = e.identity AND o.seq < e.seq AND (:queue IS NULL OR o.queue = :queue) AND NOT EXISTS (
            SELECT 1 FROM dropped AS d WHERE d.queue = o.queue AND d.kind = o.kind AND o.seq <= d.event_seq
        )
    )
ORDER BY w.rowid DESC LIMIT :limit

-- Without the events, so that counting many does not read them.
-- name: count_events
SELECT e.queue, e.resource_type, e.type, e.source
FROM event_words AS w CROSS JOIN events AS e ON e.seq = w.rowid
WHERE w.event_words MATCH :match AND w.rowid < :before AND w.rowid >= :first AND e.posted_ms >= :since
    AND NOT EXISTS (
        SELECT 1 FROM dropped AS d WHERE d.queue = e.queue AND d.kind = e.kind AND e.seq <= d.event_seq
    )
    AND NOT EXISTS (
        SELECT 1 FROM events AS o
        WHERE o.identity = e.identity AND o.seq < e.seq AND (:queue IS NULL OR o.queue = :queue) AND NOT EXISTS (
            SELECT 1 FROM dropped AS d WHERE d.queue = o.queue AND d.kind = o.kind AND o.seq <= d.event_seq
        )
    )
ORDER BY w.rowid DESC LIMIT :limit

-- What one queue was told of a resource is shown if none that is still there was told anything later.
-- name: find_resources
SELECT e.seq, e.queue, e.message_id, e.posted_ms, e.event, e.resource_type, e.resource_id, e.deleted
FROM resource_words AS w CROSS JOIN resources AS e ON e.seq = w.rowid
WHERE w.resource_words MATCH :match AND w.rowid < :before AND w.rowid >= :first AND e.posted_ms >= :since
    AND e.deleted <= :deleted
    AND NOT EXISTS (
        SELECT 1 FROM dropped AS d WHERE d.queue = e.queue AND d.kind = e.kind AND e.seq <= d.resource_seq
    )
    AND NOT EXISTS (
        SELECT 1 FROM resources AS o
        WHERE o.identity = e.identity AND (o.time_ms, o.seq) > (e.time_ms, e.seq) AND NOT EXISTS (
            SELECT 1 FROM dropped AS d WHERE d.queue = o.queue AND d.kind = o.kind AND o.seq <= d.resource_seq
        )
    )
ORDER BY w.rowid DESC LIMIT :limit

-- name: count_resources
SELECT e.queue, e.resource_type, e.type, e.source
FROM resource_words AS w CROSS JOIN resources AS e ON e.seq = w.rowid
WHERE w.resource_words MATCH :match AND w.rowid < :before AND w.rowid >= :first AND e.posted_ms >= :since
    AND e.deleted <= :deleted
    AND NOT EXISTS (
        SELECT 1 FROM dropped AS d WHERE d.queue = e.queue AND d.kind = e.kind AND e.seq <= d.resource_seq
    )
    AND NOT EXISTS (
        SELECT 1 FROM resources AS o
        WHERE o.identity = e.identity AND (o.time_ms, o.seq) > (e.time_ms, e.seq) AND NOT EXISTS (
            SELECT 1 FROM dropped AS d WHERE d.queue = o.queue AND d.kind = o.kind AND o.seq <= d.resource_seq
        )
    )
ORDER BY w.rowid DESC LIMIT :limit

-- name: first_event
SELECT seq FROM events WHERE indexed_ms >= ? ORDER BY indexed_ms, seq LIMIT 1

-- name: first_resource
SELECT seq FROM resources WHERE indexed_ms >= ? ORDER BY indexed_ms, seq LIMIT 1

-- name: type
SELECT count, first_ms, schema FROM types WHERE type = ?

-- name: count_types
SELECT count(*) FROM types

-- name: put_type
INSERT OR REPLACE INTO types (type, count, first_ms, last_ms, source, id, schema) VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: count_known_producer
UPDATE producers SET count = count + ?3 WHERE type = ?1 AND source = ?2

-- name: put_new_producer
INSERT INTO producers (type, source, count)
SELECT ?1, ?2, ?3 WHERE (SELECT count(*) FROM producers WHERE type = ?1) < ?4

-- name: list_types
SELECT type, count, first_ms, last_ms, source, id, schema FROM types WHERE type > ? ORDER BY type LIMIT ?

-- name: producers
SELECT source, count FROM producers WHERE type = ? ORDER BY count DESC, source

-- name: delete_old_types
DELETE FROM types WHERE last_ms < ?

-- name: delete_producers_of_no_type
DELETE FROM producers WHERE type NOT IN (SELECT type FROM types)

-- name: drop_queue
INSERT OR REPLACE INTO dropped (queue, kind, dropped_ms, emptied, event_seq, resource_seq)
VALUES (
    ?, ?, ?, 0,
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0),
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'resources'), 0)
)

-- name: dropped_ms
SELECT dropped_ms FROM dropped WHERE queue = ? AND kind = ?

-- name: dropped
SELECT queue, kind, event_seq, resource_seq FROM dropped WHERE emptied = 0 LIMIT 1

-- name: note_emptied
UPDATE dropped SET emptied = 1 WHERE queue = ? AND kind = ?

-- name: forget_dropped
DELETE FROM dropped WHERE emptied = 1 AND dropped_ms < max(?1, coalesce((
    SELECT dropped_ms FROM dropped WHERE emptied = 1 ORDER BY dropped_ms DESC LIMIT 1 OFFSET ?2
), ?1))

-- name: is_empty
SELECT NOT EXISTS (SELECT 1 FROM events) AND NOT EXISTS (SELECT 1 FROM resources)
    AND NOT EXISTS (SELECT 1 FROM types) AND NOT EXISTS (SELECT 1 FROM dropped)

-- name: events_of_dropped
SELECT seq, size FROM events WHERE queue = ? AND kind = ? AND seq <= ? LIMIT ?

-- name: resources_of_dropped
SELECT seq, size FROM resources WHERE queue = ? AND kind = ? AND seq <= ? LIMIT ?

-- name: old_events
SELECT seq, size FROM events WHERE indexed_ms < ? ORDER BY indexed_ms LIMIT ?

-- name: old_deleted_resources
SELECT seq, size FROM resources WHERE deleted = 1 AND indexed_ms < ? ORDER BY indexed_ms LIMIT ?

-- name: first_events
SELECT seq, size FROM events ORDER BY seq LIMIT ?

-- name: first_resources
SELECT seq, size FROM resources ORDER BY seq LIMIT ?
