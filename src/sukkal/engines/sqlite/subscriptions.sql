-- Statements on subscriptions and their backlogs; see statements.py.

-- name: subscriptions
SELECT id, subscriber, ttl_s, options, confirmed, created_ms, expires_ms, revision FROM subscriptions
WHERE project = ? AND kind = ? AND queue = ? AND id > ? AND expires_ms > ? ORDER BY id LIMIT ?

-- name: subscription
SELECT id, subscriber, ttl_s, options, confirmed, created_ms, expires_ms, revision FROM subscriptions
WHERE project = ? AND kind = ? AND queue = ? AND id = ?

-- name: subscription_of
SELECT id, subscriber, ttl_s, options, confirmed, created_ms, expires_ms, revision FROM subscriptions
WHERE project = ? AND kind = ? AND queue = ? AND subscriber = ?

-- name: subscription_ids
SELECT id FROM subscriptions WHERE project = ? AND kind = ? AND queue = ?

-- name: expired_subscriptions
SELECT project, kind, queue, id FROM subscriptions WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?

-- name: count_project_subscriptions
SELECT count(*) FROM subscriptions WHERE project = ? AND kind IN ('queue', 'topic') AND expires_ms > ?

-- name: put_subscription
INSERT OR REPLACE INTO subscriptions
    (project, kind, queue, id, subscriber, ttl_s, options, confirmed, created_ms, expires_ms, revision)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: delete_subscription
DELETE FROM subscriptions WHERE project = ? AND kind = ? AND queue = ? AND id = ?

-- name: end_backlog
UPDATE queues SET ends_ms = ? WHERE number = ?

-- name: count_subscriptions
UPDATE queues SET subscriptions = ? WHERE number = ?

-- The backlogs that hold something, by one seek each, and of those the ones that hold something to be claimed now.
-- name: due_backlogs
WITH RECURSIVE present (queue) AS (
    SELECT min(queue) FROM messages INDEXED BY messages_backlog WHERE backlog = 1 AND lifetime <> -1 AND queue > ?1
    UNION ALL
    SELECT (
        SELECT min(queue) FROM messages INDEXED BY messages_backlog
        WHERE backlog = 1 AND lifetime <> -1 AND queue > present.queue
    )
    FROM present WHERE present.queue IS NOT NULL
)
SELECT q.project, q.name, q.kind FROM present JOIN queues AS q ON q.number = present.queue
WHERE q.kind = 'backlog' AND q.ends_ms > ?2 AND EXISTS (
    SELECT 1 FROM messages INDEXED BY messages_backlog
    WHERE backlog = 1 AND lifetime <> -1 AND queue = present.queue AND visible_ms <= ?2 AND expires_ms > ?2
)
LIMIT ?3
