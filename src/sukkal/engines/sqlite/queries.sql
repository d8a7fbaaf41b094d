-- Each statement stands under its name; see statements.py.

-- name: counter
SELECT last FROM counter WHERE id = 1

-- name: save_counter
UPDATE counter SET last = ? WHERE id = 1

-- name: save_removed
INSERT INTO removed (queue, sequence) VALUES (?, ?)
ON CONFLICT (queue) DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > removed.sequence

-- name: removed
SELECT sequence FROM removed WHERE queue = ?

-- name: dropped_behind
SELECT max(sequence) FROM removed WHERE queue IN (0, ?)

-- Whether something that has expired and waits to be swept lies behind a place; also when too much waits to tell.
-- name: expired_behind
SELECT count(*) = ?4 OR coalesce(max(queue = ?2 AND sequence > ?3), 0) FROM (
    SELECT queue, sequence FROM messages INDEXED BY messages_expiry WHERE expires_ms <= ?1 LIMIT ?4
)

-- name: forget_removed
DELETE FROM removed WHERE queue = ?

-- name: queue
SELECT number, ends_ms, token, metadata, revision, created_ms, subscriptions FROM queues
WHERE project = ? AND kind = ? AND name = ?

-- name: insert_queue
INSERT INTO queues (project, kind, name, number, metadata, revision, created_ms, ends_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: update_queue
UPDATE queues SET metadata = ?, revision = ? WHERE number = ?

-- name: renumber_queue
UPDATE queues SET number = ? WHERE number = ?

-- name: delete_queue
DELETE FROM queues WHERE project = ? AND kind = ? AND name = ?

-- name: which_claims_hold
SELECT EXISTS (SELECT 1 FROM messages AS m WHERE m.claim = c.number) FROM claims AS c
WHERE c.queue = ? AND c.expires_ms > ? LIMIT ?

-- name: last_message
SELECT max(sequence) FROM messages INDEXED BY messages_posted WHERE queue = ?

-- name: drop_contents
INSERT INTO dropped (number) VALUES (?)

-- name: list_queues
SELECT name, metadata, revision, created_ms, subscriptions FROM queues
WHERE project = ? AND kind = ? AND name > ? ORDER BY name LIMIT ?

-- name: count_queues
SELECT count(*) FROM queues WHERE project = ? AND kind = ?

-- name: insert_message
INSERT INTO messages
    (sequence, queue, id, client, created_ms, ttl_s, expires_ms, visible_ms, lifetime, claim, attempts, attributes, body,
    backlog, key)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 0, ?, ?, ?, ?)
ON CONFLICT (id, queue) DO NOTHING

-- name: replace_older
DELETE FROM messages INDEXED BY messages_key
WHERE queue = ?1 AND key = ?2 AND sequence < ?3 AND lifetime <> -1 AND (claim IS NULL OR visible_ms <= ?4)
RETURNING sequence

-- name: delete_expired_id
DELETE FROM messages WHERE queue = ? AND id = ? AND expires_ms <= ? RETURNING sequence

-- name: once
SELECT fingerprint, ids FROM once WHERE queue = ? AND key = ? AND expires_ms > ?

-- name: save_once
INSERT OR REPLACE INTO once (queue, key, fingerprint, ids, expires_ms) VALUES (?, ?, ?, ?, ?)

-- The classes of lifetimes present in a queue, by one seek each.
-- name: lifetimes
WITH RECURSIVE present (lifetime) AS (
    SELECT min(lifetime) FROM messages WHERE queue = ?1 AND lifetime >= ?2
    UNION ALL
    SELECT (SELECT min(lifetime) FROM messages WHERE queue = ?1 AND lifetime > present.lifetime)
    FROM present WHERE present.lifetime IS NOT NULL
)
SELECT lifetime FROM present WHERE lifetime IS NOT NULL

-- name: free_messages
SELECT m.sequence, m.id, m.body, m.ttl_s, m.created_ms, m.expires_ms, m.visible_ms, m.attempts, NULL, m.client,
    m.attributes
FROM messages AS m INDEXED BY messages_due
WHERE m.queue = ? AND m.lifetime = ? AND m.visible_ms > ? AND m.visible_ms <= ? AND m.expires_ms > ?
ORDER BY m.visible_ms, m.sequence LIMIT ?

-- The rest of the messages that became free in one and the same millisecond.
-- name: free_messages_at
SELECT m.sequence, m.id, m.body, m.ttl_s, m.created_ms, m.expires_ms, m.visible_ms, m.attempts, NULL, m.client,
    m.attributes
FROM messages AS m INDEXED BY messages_due
WHERE m.queue = ? AND m.lifetime = ? AND m.visible_ms = ? AND m.sequence > ? AND m.expires_ms > ?
ORDER BY m.sequence LIMIT ?

-- name: posted_messages
SELECT m.sequence, m.id, m.body, m.ttl_s, m.created_ms, m.expires_ms, m.visible_ms, m.attempts, c.id, m.client,
    m.attributes
FROM messages AS m INDEXED BY messages_posted
LEFT JOIN claims AS c ON c.number = m.claim AND c.expires_ms > ?1
WHERE m.queue = ?2 AND m.sequence > ?3
ORDER BY m.sequence LIMIT ?4

-- name: message
SELECT m.sequence, m.id, m.body, m.ttl_s, m.created_ms, m.expires_ms, m.visible_ms, m.attempts, c.id, m.client,
    m.attributes
FROM messages AS m LEFT JOIN claims AS c ON c.number = m.claim AND c.expires_ms > ?1
WHERE m.queue = ?2 AND m.id = ?3 AND m.expires_ms > ?1

-- name: held_messages
SELECT m.sequence, m.id, m.body, m.ttl_s, m.created_ms, m.expires_ms, m.visible_ms, m.attempts, ?3, m.client,
    m.attributes
FROM messages AS m WHERE m.claim = ?2 AND m.expires_ms > ?1 ORDER BY m.sequence

-- name: oldest_message
SELECT m.sequence, m.id, m.body, m.ttl_s, m.created_ms, m.expires_ms, m.visible_ms, m.attempts, c.id, m.client,
    m.attributes
FROM messages AS m INDEXED BY messages_posted
LEFT JOIN claims AS c ON c.number = m.claim AND c.expires_ms > ?1
WHERE m.queue = ?2 AND m.expires_ms > ?1 ORDER BY m.sequence LIMIT 1

-- name: newest_message
SELECT m.sequence, m.id, m.body, m.ttl_s, m.created_ms, m.expires_ms, m.visible_ms, m.attempts, c.id, m.client,
    m.attributes
FROM messages AS m INDEXED BY messages_posted
LEFT JOIN claims AS c ON c.number = m.claim AND c.expires_ms > ?1
WHERE m.queue = ?2 AND m.expires_ms > ?1 ORDER BY m.sequence DESC LIMIT 1

-- name: place
SELECT sequence, claim, visible_ms, expires_ms, created_ms, lifetime FROM messages
WHERE queue = ? AND id = ? AND expires_ms > ?

-- name: held_places
SELECT sequence, claim, visible_ms, expires_ms, created_ms, lifetime FROM messages WHERE claim = ? AND expires_ms > ?

-- name: held_longer
SELECT sequence, expires_ms, lifetime, ttl_s FROM messages WHERE claim = ? AND expires_ms > ?

-- name: delete_message
DELETE FROM messages WHERE sequence = ?

-- name: delete_live_ids
DELETE FROM messages WHERE queue = ?1 AND id IN (SELECT value FROM json_each(?2)) AND expires_ms > ?3
RETURNING id, sequence

-- name: delete_unclaimed_ids
DELETE FROM messages WHERE queue = ?1 AND id IN (SELECT value FROM json_each(?2)) AND expires_ms > ?3
    AND (claim IS NULL OR visible_ms <= ?3)
RETURNING id, sequence

-- name: take
UPDATE messages SET claim = ?, visible_ms = ?, lifetime = ?, attempts = ? WHERE sequence = ?

-- name: keep
UPDATE messages SET ttl_s = ?, expires_ms = ? WHERE sequence = ?

-- name: hold_longer
UPDATE messages SET visible_ms = ?, lifetime = ?, ttl_s = ?, expires_ms = ? WHERE sequence = ?

-- name: release
UPDATE messages SET claim = NULL, visible_ms = ?, lifetime = ?, attributes = coalesce(?, attributes) WHERE sequence = ?

-- name: set_aside
UPDATE messages SET lifetime = -1 WHERE sequence = ?

-- name: insert_claim
INSERT INTO claims (number, queue, id, ttl_s, grace_s, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: claim
SELECT number, ttl_s, grace_s, created_ms, expires_ms FROM claims WHERE queue = ? AND id = ? AND expires_ms > ?

-- name: list_claims
SELECT id, ttl_s, grace_s, created_ms, expires_ms FROM claims
WHERE queue = ? AND id > ? AND expires_ms > ? ORDER BY id LIMIT ?

-- name: extend_claim
UPDATE claims SET ttl_s = ?, grace_s = ?, created_ms = ?, expires_ms = ? WHERE number = ?

-- name: delete_claim
DELETE FROM claims WHERE number = ?

-- name: next_visible
SELECT visible_ms FROM messages INDEXED BY messages_due
WHERE queue = ? AND lifetime = ? AND visible_ms > ? AND expires_ms > ? ORDER BY visible_ms LIMIT 1

-- name: due_queues
SELECT DISTINCT q.project, q.name, q.kind
FROM messages AS m INDEXED BY messages_set_aside
JOIN queues AS q ON q.number = m.queue
WHERE m.lifetime = -1 AND m.backlog = 0 AND m.visible_ms <= ? AND m.expires_ms > ? AND q.kind NOT GLOB '~*'
ORDER BY q.project, q.name, q.kind LIMIT ?

-- name: count_claimed
SELECT count(*) FROM claims AS c JOIN messages AS m ON m.claim = c.number WHERE c.queue = ? AND c.expires_ms > ?

-- name: count_visible_between
SELECT count(*) FROM messages INDEXED BY messages_due
WHERE queue = ? AND lifetime = ? AND visible_ms > ? AND visible_ms <= ?

-- name: count_live_between
SELECT count(*) FROM messages INDEXED BY messages_due
WHERE queue = ? AND lifetime = ? AND visible_ms > ? AND visible_ms <= ? AND expires_ms > ?

-- What the next one removes, but for deliveries, which nobody listens to.
-- name: sweep_last
SELECT queue, max(sequence) FROM (
    SELECT queue, sequence, backlog FROM messages INDEXED BY messages_expiry
    WHERE expires_ms <= ? ORDER BY expires_ms, sequence LIMIT ?
) WHERE backlog = 0 GROUP BY queue

-- name: sweep_messages
DELETE FROM messages WHERE sequence IN (
    SELECT sequence FROM messages INDEXED BY messages_expiry
    WHERE expires_ms <= ? ORDER BY expires_ms, sequence LIMIT ?
)

-- name: sweep_claims
DELETE FROM claims WHERE number IN (SELECT number FROM claims WHERE expires_ms <= ? LIMIT ?)

-- name: sweep_once
DELETE FROM once WHERE (queue, key) IN (SELECT queue, key FROM once WHERE expires_ms <= ? LIMIT ?)

-- name: dropped
SELECT number FROM dropped LIMIT 1

-- name: sweep_dropped_messages
DELETE FROM messages WHERE sequence IN (SELECT sequence FROM messages WHERE queue = ? LIMIT ?)

-- name: sweep_dropped_claims
DELETE FROM claims WHERE number IN (SELECT number FROM claims WHERE queue = ? LIMIT ?)

-- name: sweep_dropped_once
DELETE FROM once WHERE (queue, key) IN (SELECT queue, key FROM once WHERE queue = ? LIMIT ?)

-- name: forget_dropped
DELETE FROM dropped WHERE number = ?
