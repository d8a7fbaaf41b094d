-- Statements for moving whole queues; see statements.py. A staged queue has the kind that it will have behind a "~".

-- name: frame
SELECT q.metadata, q.revision, q.created_ms, q.subscriptions, q.number,
    greatest(p.last, p.removed, k.last * 4096 + k.mark), q.ends_ms, q.token
FROM queues AS q JOIN places AS p ON p.queue = q.number JOIN marks AS k ON k.mark = $4
WHERE q.project = $1 AND q.kind = $2 AND q.name = $3

-- name: lock_marks
SELECT 1 FROM marks WHERE mark = ANY ($1::integer[]) ORDER BY mark FOR UPDATE

-- name: lock_places
SELECT numbers FROM lock_places($1, $2, $3)

-- name: follow
UPDATE places SET followed = true WHERE queue = ANY ($1::bigint[]) AND NOT followed

-- name: note_follower
UPDATE queues SET follower = greatest(follower, $2) WHERE number = ANY ($1::bigint[])

-- name: unfollow
WITH given_up AS (
    UPDATE queues SET follower = 0 WHERE number = ANY ($1::bigint[]) AND follower <= $2 RETURNING number
), forgotten AS (
    DELETE FROM changed WHERE queue IN (SELECT number FROM given_up)
)
UPDATE places SET followed = false WHERE queue IN (SELECT number FROM given_up) AND followed

-- Who holds or follows queues with a greater token, or which of them were moved away.
-- name: others
SELECT count(*)
FROM unnest($1::text[], $2::text[], $3::text[]) AS w (project, kind, name)
LEFT JOIN markers AS m ON m.project = w.project AND m.kind = w.kind AND m.name = w.name
LEFT JOIN queues AS q ON q.project = w.project AND q.kind = w.kind AND q.name = w.name
WHERE m.until_ms IS NOT NULL OR m.token > $4 OR q.follower > $4

-- name: markers_of
SELECT m.project IS NOT NULL, m.until_ms, m.token, q.number IS NOT NULL
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS w (project, kind, name, nth)
LEFT JOIN markers AS m ON m.project = w.project AND m.kind = w.kind AND m.name = w.name
LEFT JOIN queues AS q ON q.project = w.project AND q.kind = w.kind AND q.name = w.name
ORDER BY w.nth

-- name: hold
UPDATE places SET held = true WHERE queue = ANY ($1::bigint[]) AND NOT held

-- name: put_markers
INSERT INTO markers (project, kind, name, until_ms, token)
SELECT w.project, w.kind, w.name, $4::bigint, $5::bigint
FROM unnest($1::text[], $2::text[], $3::text[]) AS w (project, kind, name)
ON CONFLICT (project, kind, name) DO UPDATE SET until_ms = excluded.until_ms, token = excluded.token

-- name: delete_markers
DELETE FROM markers AS m USING unnest($1::text[], $2::text[], $3::text[]) AS w (project, kind, name)
WHERE m.project = w.project AND m.kind = w.kind AND m.name = w.name

-- name: let_go
WITH gone AS (
    DELETE FROM markers AS m USING unnest($1::text[], $2::text[], $3::text[]) AS w (project, kind, name)
    WHERE m.project = w.project AND m.kind = w.kind AND m.name = w.name AND m.until_ms IS NULL AND m.token <= $4
    RETURNING m.project, m.kind, m.name
)
UPDATE places AS p SET held = false
FROM gone AS g JOIN queues AS q ON q.project = g.project AND q.kind = g.kind AND q.name = g.name
WHERE p.queue = q.number

-- name: sweep_markers
DELETE FROM markers WHERE until_ms <= $1

-- name: raise_numbers
UPDATE marks SET last = greatest(last, $2::bigint / 4096 + 1) WHERE mark = ANY ($1::integer[])

-- name: lock_all_marks
SELECT count(*) FROM (SELECT 1 FROM marks ORDER BY mark FOR UPDATE) AS locked

-- name: raise_all_numbers
UPDATE marks SET last = $1::bigint / 4096 + 1 WHERE last < $1::bigint / 4096 + 1

-- name: stored_after
SELECT m.sequence, m.id, m.body, m.ttl_s, m.created_ms, m.expires_ms, m.visible_ms, m.attempts, c.id, m.client,
    m.attributes, m.lifetime, m.key
FROM queues AS q CROSS JOIN LATERAL (
    SELECT s.*, sum(octet_length(s.body)) OVER (ORDER BY s.sequence) - octet_length(s.body) AS bytes_before
    FROM (
        SELECT * FROM messages AS o WHERE o.queue = q.number AND o.sequence > $4 ORDER BY o.sequence LIMIT $5
    ) AS s
) AS m
LEFT JOIN claims AS c ON c.queue = m.queue AND c.number = m.claim AND c.expires_ms > $6
WHERE q.project = $1 AND q.kind = $2 AND q.name = $3 AND ($7::bigint IS NULL OR m.bytes_before < $7)
ORDER BY m.sequence

-- name: changed
WITH noted AS (
    SELECT n.number, n.id, m.sequence,
        coalesce(sum(octet_length(m.body)) OVER (ORDER BY n.number) - coalesce(octet_length(m.body), 0), 0) AS bytes_before
    FROM queues AS q CROSS JOIN LATERAL (
        SELECT a.* FROM changed AS a WHERE a.queue = q.number AND a.number > $4 ORDER BY a.number LIMIT $5
    ) AS n
    LEFT JOIN messages AS m ON m.queue = n.queue AND m.id = n.id
    WHERE q.project = $1 AND q.kind = $2 AND q.name = $3
)
SELECT m.sequence, m.id, m.body, m.ttl_s, m.created_ms, m.expires_ms, m.visible_ms, m.attempts, c.id, m.client,
    m.attributes, m.lifetime, m.key, n.number, n.id
FROM queues AS q CROSS JOIN noted AS n
LEFT JOIN messages AS m ON m.queue = q.number AND m.sequence = n.sequence
LEFT JOIN claims AS c ON c.queue = m.queue AND c.number = m.claim AND c.expires_ms > $6
WHERE q.project = $1 AND q.kind = $2 AND q.name = $3 AND ($7::bigint IS NULL OR n.bytes_before < $7)
ORDER BY n.number

-- name: acts
SELECT o.key, o.fingerprint, o.ids, o.expires_ms
FROM queues AS q JOIN once AS o ON o.queue = q.number AND o.key > $4 AND o.expires_ms > $5
WHERE q.project = $1 AND q.kind = $2 AND q.name = $3
ORDER BY o.key LIMIT $6

-- name: stage_queue
SELECT stage_queue($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: stage_claims
INSERT INTO claims (queue, id, number, ttl_s, grace_s, created_ms, expires_ms)
SELECT $1, w.id, nextval('claim_numbers'), w.ttl_s, w.grace_s, w.created_ms, w.expires_ms
FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
    AS w (id, ttl_s, grace_s, created_ms, expires_ms)
ON CONFLICT (queue, id) DO UPDATE SET
    ttl_s = excluded.ttl_s, grace_s = excluded.grace_s, created_ms = excluded.created_ms, expires_ms = excluded.expires_ms

-- Claims of messages, of which more may become known later.
-- name: stage_claimed
INSERT INTO claims (queue, id, number, ttl_s, grace_s, created_ms, expires_ms)
SELECT $1, w.id, nextval('claim_numbers'), 0, 0, 0, w.visible_ms
FROM (
    SELECT DISTINCT ON (u.id) u.id, u.visible_ms FROM unnest($2::text[], $3::bigint[]) AS u (id, visible_ms)
    WHERE u.id IS NOT NULL
) AS w
ON CONFLICT (queue, id) DO NOTHING

-- name: unstage_messages
DELETE FROM messages WHERE queue = $1 AND id = ANY ($2::text[])

-- name: stage_messages
INSERT INTO messages (
    queue, sequence, backlog, id, client, created_ms, ttl_s, expires_ms, visible_ms, lifetime, claim, attempts,
    attributes, key, body
)
SELECT p.queue, p.last + w.nth, $2, w.id, w.client, w.created_ms, w.ttl_s, w.expires_ms, w.visible_ms, w.lifetime,
    (SELECT c.number FROM claims AS c WHERE c.queue = $1 AND c.id = w.claim), w.attempts, w.attributes, w.key, w.body
FROM places AS p CROSS JOIN unnest(
    $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::text[],
    $11::integer[], $12::bytea[], $13::bytea[], $14::bytea[]
) WITH ORDINALITY AS w (
    id, client, created_ms, ttl_s, expires_ms, visible_ms, lifetime, claim, attempts, attributes, key, body, nth
)
WHERE p.queue = $1
ON CONFLICT (queue, id) DO UPDATE SET
    created_ms = excluded.created_ms, ttl_s = excluded.ttl_s, expires_ms = excluded.expires_ms,
    visible_ms = excluded.visible_ms, lifetime = excluded.lifetime, claim = excluded.claim,
    attempts = excluded.attempts, attributes = excluded.attributes, body = excluded.body, key = excluded.key

-- name: note_staged
UPDATE places SET last = last + $2 WHERE queue = $1

-- name: note_classes
SELECT note_classes($1, $2)

-- name: stage_acts
INSERT INTO once (queue, key, fingerprint, ids, expires_ms)
SELECT $1, w.key, w.fingerprint, w.ids, w.expires_ms
FROM unnest($2::text[], $3::bytea[], $4::bytea[], $5::bigint[]) AS w (key, fingerprint, ids, expires_ms)
ON CONFLICT (queue, key) DO UPDATE
SET fingerprint = excluded.fingerprint, ids = excluded.ids, expires_ms = excluded.expires_ms

-- name: open_staged
SELECT open_staged($1, $2, $3, $4, $5, $6)

-- name: staged_by
SELECT max(token) FROM queues WHERE project = $1 AND kind = $2 AND name = $3

-- name: drop_subscriptions
DELETE FROM subscriptions WHERE project = $1 AND kind = $2 AND queue = $3
