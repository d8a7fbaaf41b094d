-- Statements on subscriptions and their backlogs; see statements.py.

-- name: subscriptions
SELECT id, subscriber, ttl_s, options, confirmed, created_ms, expires_ms, revision FROM subscriptions
WHERE project = $1 AND kind = $2 AND queue = $3 AND id > $4 AND expires_ms > $5
    AND ($7::text[] IS NULL OR id = ANY ($7)) AND ($8::text IS NULL OR subscriber = $8) AND is_here($1, $2, $3)
ORDER BY id LIMIT $6

-- name: subscription
SELECT id, subscriber, ttl_s, options, confirmed, created_ms, expires_ms, revision FROM subscriptions
WHERE project = $1 AND kind = $2 AND queue = $3 AND id = $4

-- name: subscription_of
SELECT id, subscriber, ttl_s, options, confirmed, created_ms, expires_ms, revision FROM subscriptions
WHERE project = $1 AND kind = $2 AND queue = $3 AND subscriber = $4

-- name: subscription_ids
SELECT id FROM subscriptions WHERE project = $1 AND kind = $2 AND queue = $3

-- name: expired_subscriptions
SELECT project, kind, queue, id FROM subscriptions WHERE expires_ms <= $1 ORDER BY expires_ms LIMIT $2

-- name: put_subscription
INSERT INTO subscriptions AS s
    (project, kind, queue, id, subscriber, ttl_s, options, confirmed, created_ms, expires_ms, revision)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (project, kind, queue, id) DO UPDATE SET
    subscriber = $5, ttl_s = $6, options = $7, confirmed = $8, created_ms = $9, expires_ms = $10, revision = $11

-- name: delete_subscription
DELETE FROM subscriptions WHERE project = $1 AND kind = $2 AND queue = $3 AND id = $4

-- name: end_backlog
UPDATE queues SET ends_ms = $4 WHERE project = $1 AND kind = $2 AND name = $3

-- name: count_subscriptions
UPDATE queues SET subscriptions = subscriptions + $4 WHERE project = $1 AND kind = $2 AND name = $3
