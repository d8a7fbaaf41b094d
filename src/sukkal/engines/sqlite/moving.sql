-- Statements for moving whole queues; see statements.py. A staged queue has the kind that it will have behind a "~".

-- name: markers
SELECT project, name, kind, until_ms, token FROM markers

-- name: put_marker
INSERT OR REPLACE INTO markers (project, kind, name, until_ms, token) VALUES (?, ?, ?, ?, ?)

-- name: delete_marker
DELETE FROM markers WHERE project = ? AND kind = ? AND name = ?

-- name: delete_hold
DELETE FROM markers WHERE project = ? AND kind = ? AND name = ? AND until_ms IS NULL AND token <= ?

-- name: sweep_markers
DELETE FROM markers WHERE until_ms <= ? RETURNING project, name, kind

-- name: follow_triggers
CREATE TRIGGER IF NOT EXISTS follow_insert AFTER INSERT ON messages
WHEN NEW.queue IN (SELECT queue FROM followed) BEGIN
    DELETE FROM changed WHERE queue = NEW.queue AND id = NEW.id;
    INSERT INTO changed (queue, id) VALUES (NEW.queue, NEW.id);
END;
CREATE TRIGGER IF NOT EXISTS follow_update AFTER UPDATE ON messages
WHEN NEW.queue IN (SELECT queue FROM followed) BEGIN
    DELETE FROM changed WHERE queue = NEW.queue AND id = NEW.id;
    INSERT INTO changed (queue, id) VALUES (NEW.queue, NEW.id);
END;
CREATE TRIGGER IF NOT EXISTS follow_delete AFTER DELETE ON messages
WHEN OLD.queue IN (SELECT queue FROM followed) BEGIN
    DELETE FROM changed WHERE queue = OLD.queue AND id = OLD.id;
    INSERT INTO changed (queue, id) VALUES (OLD.queue, OLD.id);
END

-- name: drop_triggers
DROP TRIGGER IF EXISTS follow_insert;
DROP TRIGGER IF EXISTS follow_update;
DROP TRIGGER IF EXISTS follow_delete

-- name: follow
INSERT INTO followed (queue, token) VALUES (?, ?) ON CONFLICT (queue) DO UPDATE SET token = max(token, excluded.token)

-- name: follower
SELECT token FROM followed WHERE queue = ?

-- name: unfollow
DELETE FROM followed WHERE queue = ?

-- name: any_followed
SELECT count(*) FROM followed

-- name: forget_changed
DELETE FROM changed WHERE queue = ?

-- name: changed
SELECT number, id FROM changed WHERE queue = ? AND number > ? ORDER BY number LIMIT ?

-- name: stored_after
SELECT m.sequence, m.id, m.body, m.ttl_s, m.created_ms, m.expires_ms, m.visible_ms, m.attempts, c.id, m.client,
    m.attributes, m.lifetime, m.key
FROM messages AS m INDEXED BY messages_posted
LEFT JOIN claims AS c ON c.number = m.claim AND c.expires_ms > ?1
WHERE m.queue = ?2 AND m.sequence > ?3
ORDER BY m.sequence LIMIT ?4

-- name: stored
SELECT m.sequence, m.id, m.body, m.ttl_s, m.created_ms, m.expires_ms, m.visible_ms, m.attempts, c.id, m.client,
    m.attributes, m.lifetime, m.key
FROM messages AS m LEFT JOIN claims AS c ON c.number = m.claim AND c.expires_ms > ?1
WHERE m.queue = ?2 AND m.id = ?3

-- name: acts
SELECT key, fingerprint, ids, expires_ms FROM once WHERE queue = ? AND key > ? AND expires_ms > ? ORDER BY key LIMIT ?

-- name: claim_number
SELECT number FROM claims WHERE queue = ? AND id = ?

-- name: put_claim
INSERT INTO claims (number, queue, id, ttl_s, grace_s, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (queue, id) DO UPDATE SET
    ttl_s = excluded.ttl_s, grace_s = excluded.grace_s, created_ms = excluded.created_ms, expires_ms = excluded.expires_ms

-- name: stage_message
INSERT INTO messages
    (sequence, queue, id, client, created_ms, ttl_s, expires_ms, visible_ms, lifetime, claim, attempts, attributes, body,
    backlog, key)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id, queue) DO UPDATE SET
    created_ms = excluded.created_ms, ttl_s = excluded.ttl_s, expires_ms = excluded.expires_ms,
    visible_ms = excluded.visible_ms, lifetime = excluded.lifetime, claim = excluded.claim,
    attempts = excluded.attempts, attributes = excluded.attributes, body = excluded.body, key = excluded.key

-- name: unstage_message
DELETE FROM messages WHERE queue = ? AND id = ?

-- name: frame_queue
UPDATE queues SET metadata = ?, revision = ?, created_ms = ?, ends_ms = ?, token = ? WHERE number = ?

-- name: open_queue
UPDATE queues SET kind = ? WHERE number = ?

-- name: count_staged
SELECT count(*) FROM subscriptions WHERE project = ? AND kind = ? AND queue = ?

-- name: open_subscriptions
UPDATE subscriptions SET kind = ? WHERE project = ? AND kind = ? AND queue = ?

-- name: drop_subscriptions
DELETE FROM subscriptions WHERE project = ? AND kind = ? AND queue = ?
