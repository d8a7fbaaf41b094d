-- Each statement stands under its name; see statements.py.

-- name: queues
SELECT w.nth, q.metadata, q.revision, q.created_ms, q.subscriptions
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS w (project, kind, name, nth)
JOIN queues AS q ON q.project = w.project AND q.kind = w.kind AND q.name = w.name

-- As it is or, if it was moved away, nothing but its place in the list.
-- name: find_queues
SELECT w.nth, q.metadata, q.revision, q.created_ms, q.subscriptions
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS w (project, kind, name, nth)
LEFT JOIN queues AS q ON q.project = w.project AND q.kind = w.kind AND q.name = w.name
LEFT JOIN markers AS k ON k.project = w.project AND k.kind = w.kind AND k.name = w.name
WHERE q.number IS NOT NULL OR k.until_ms IS NOT NULL

-- name: list_queues
SELECT name, metadata, revision, created_ms, subscriptions FROM queues
WHERE project = $1 AND kind = $2 AND name > $3 ORDER BY name LIMIT $4

-- name: count_queues
SELECT count(*) FROM queues WHERE project = $1 AND kind = $2

-- name: publish
SELECT * FROM publish(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22
)

-- name: delete_messages
SELECT delete_messages($1, $2, $3, $4, $5, $6, $7, $8)

-- name: claim
SELECT * FROM claim($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: extend
SELECT extend($1, $2, $3, $4, $5, $6, $7, $8)

-- name: settle
SELECT * FROM settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)

-- Of each act by its place in the list, what is remembered of it.
-- name: earlier
SELECT w.nth, o.fingerprint, o.ids FROM queues AS q
CROSS JOIN unnest($4::text[]) WITH ORDINALITY AS w (key, nth)
JOIN once AS o ON o.queue = q.number AND o.key = w.key AND o.expires_ms > $5
WHERE q.project = $1 AND q.kind = $2 AND q.name = $3 AND (q.ends_ms IS NULL OR q.ends_ms > $5)
    AND is_here($1, $2, $3)
ORDER BY w.nth

-- name: free_messages
SELECT f.sequence, f.id, f.body, f.ttl_s, f.created_ms, f.expires_ms, f.visible_ms, f.attempts, NULL, f.client,
    f.attributes
FROM queues AS q JOIN places AS p ON p.queue = q.number
CROSS JOIN LATERAL free_messages(q.number, p.low_ms, $5, $6, $4, $7) AS f
WHERE q.project = $1 AND q.kind = $2 AND q.name = $3 AND (q.ends_ms IS NULL OR q.ends_ms > $4)
    AND is_here($1, $2, $3)

-- What was posted after a place, and of the queue, or of the mark of one that does not exist, what a page has to tell:
-- whether something is gone that stood behind that place, or has expired there and waits to be swept, or too much waits
-- to tell. That is sought in each class of lifetimes: what the expiry index has of other queues is not this one's cost.
-- "edge" is the last that was looked at if the page is not full.
-- name: posted_messages
WITH its AS MATERIALIZED (
    SELECT q.number, p.last, p.removed, p.first FROM queues AS q JOIN places AS p ON p.queue = q.number
    WHERE q.project = $1 AND q.kind = $2 AND q.name = $3 AND (q.ends_ms IS NULL OR q.ends_ms > $4)
), page AS MATERIALIZED (
    SELECT s.*, c.id AS claim_id FROM its CROSS JOIN LATERAL (
        SELECT m.* FROM messages AS m WHERE m.queue = its.number AND m.sequence > $5::bigint AND m.sequence >= its.first
        ORDER BY m.sequence LIMIT $12
    ) AS s
    LEFT JOIN claims AS c ON c.queue = s.queue AND c.number = s.claim AND c.expires_ms > $4
    WHERE s.expires_ms > $4 AND ($7::text IS NULL OR s.client <> $7)
        AND (s.visible_ms <= $4 OR CASE WHEN c.id IS NULL THEN $9::boolean ELSE $8::boolean END)
    ORDER BY s.sequence LIMIT $6
), edge AS MATERIALIZED (
    SELECT s.sequence, s.created_ms FROM its CROSS JOIN LATERAL (
        SELECT m.sequence, m.created_ms FROM messages AS m
        WHERE m.queue = its.number AND m.sequence > $5::bigint AND m.sequence >= its.first
        ORDER BY m.sequence LIMIT $12
    ) AS s
    WHERE (SELECT count(*) FROM page) < $6
    ORDER BY s.sequence DESC LIMIT 1
)
SELECT coalesce(its.number, 0), coalesce(its.last, k.last * 4096 + k.mark),
    least(k.dropped, coalesce(its.number, k.dropped)), coalesce(its.removed, 0),
    its.number IS NOT NULL AND its.removed <= $5 AND (
        SELECT count(*) = $11 OR coalesce(bool_or(e.expires_ms <= $4 AND e.sequence > $5), false) FROM (
            SELECT m.expires_ms, m.sequence FROM (
                SELECT c.lifetime, $4 - c.lifetime / 2 * 1000 AS until_ms FROM classes AS c
                WHERE c.queue = its.number AND c.lifetime > 0
                UNION ALL SELECT unnest('{-1,0}'::bigint[]), 9223372036854775807
            ) AS c CROSS JOIN LATERAL (
                SELECT m.expires_ms, m.sequence FROM messages AS m
                WHERE m.queue = its.number AND m.lifetime = c.lifetime AND m.visible_ms <= c.until_ms
                ORDER BY m.visible_ms, m.sequence LIMIT $11
            ) AS m
            LIMIT $11
        ) AS e
    ),
    edge.sequence, edge.created_ms,
    page.sequence, page.id, page.body, page.ttl_s, page.created_ms, page.expires_ms, page.visible_ms, page.attempts,
    page.claim_id, page.client, page.attributes
FROM marks AS k LEFT JOIN its ON true LEFT JOIN edge ON true LEFT JOIN page ON true
WHERE k.mark = $10 AND is_here($1, $2, $3)
ORDER BY page.sequence

-- name: messages
SELECT m.sequence, m.id, m.body, m.ttl_s, m.created_ms, m.expires_ms, m.visible_ms, m.attempts, c.id, m.client,
    m.attributes
FROM queues AS q CROSS JOIN unnest($4::text[]) WITH ORDINALITY AS w (id, nth)
JOIN messages AS m ON m.queue = q.number AND m.id = w.id AND m.expires_ms > $5
LEFT JOIN claims AS c ON c.queue = m.queue AND c.number = m.claim AND c.expires_ms > $5
WHERE q.project = $1 AND q.kind = $2 AND q.name = $3 AND (q.ends_ms IS NULL OR q.ends_ms > $5)
    AND is_here($1, $2, $3)
ORDER BY w.nth

-- name: held_claim
SELECT c.ttl_s, c.grace_s, c.created_ms, c.expires_ms, m.sequence, m.id, m.body, m.ttl_s, m.created_ms, m.expires_ms,
    m.visible_ms, m.attempts, c.id, m.client, m.attributes
FROM queues AS q JOIN claims AS c ON c.queue = q.number AND c.id = $4 AND c.expires_ms > $5
LEFT JOIN messages AS m ON m.queue = c.queue AND m.claim = c.number AND m.expires_ms > $5
WHERE q.project = $1 AND q.kind = $2 AND q.name = $3 AND (q.ends_ms IS NULL OR q.ends_ms > $5)
    AND is_here($1, $2, $3)
ORDER BY m.sequence

-- name: list_claims
SELECT c.id, c.ttl_s, c.grace_s, c.created_ms, c.expires_ms
FROM queues AS q JOIN claims AS c ON c.queue = q.number AND c.id > $4 AND c.expires_ms > $5
WHERE q.project = $1 AND q.kind = $2 AND q.name = $3 AND (q.ends_ms IS NULL OR q.ends_ms > $5)
    AND is_here($1, $2, $3)
ORDER BY c.id LIMIT $6

-- name: next_due
SELECT min(d.visible_ms) FROM queues AS q JOIN classes AS c ON c.queue = q.number CROSS JOIN LATERAL (
    SELECT m.visible_ms FROM messages AS m
    WHERE m.queue = c.queue AND m.lifetime = c.lifetime AND m.visible_ms > $4 AND m.expires_ms > $4
    ORDER BY m.visible_ms, m.sequence LIMIT 1
) AS d
WHERE q.project = $1 AND q.kind = $2 AND q.name = $3 AND (q.ends_ms IS NULL OR q.ends_ms > $4)
    AND is_here($1, $2, $3)

-- name: due_queues
SELECT DISTINCT q.project, q.name, q.kind FROM messages AS m JOIN queues AS q ON q.number = m.queue
WHERE m.lifetime = -1 AND left(q.kind, 1) <> '~' AND NOT m.backlog AND m.visible_ms <= $1 AND m.expires_ms > $1
ORDER BY q.project, q.name, q.kind LIMIT $2

-- The backlogs that hold something, by one seek each, and of those the ones that hold something to be claimed now. They
-- come in the order of the walk, which ends with the page: an ORDER BY would walk all of them, and a join that may be
-- planned in another way than look by look ("OFFSET 0") would give them in any order.
-- name: due_backlogs
WITH RECURSIVE present (queue) AS (
    SELECT min(queue) FROM messages WHERE backlog AND lifetime <> -1 AND queue > coalesce(
        (SELECT number FROM queues WHERE project = $3 AND kind = 'backlog' AND name = $4), 0
    )
    UNION ALL
    SELECT (SELECT min(queue) FROM messages WHERE backlog AND lifetime <> -1 AND queue > present.queue)
    FROM present WHERE present.queue IS NOT NULL
)
SELECT due.project, due.name, due.kind FROM present CROSS JOIN LATERAL (
    SELECT q.project, q.name, q.kind FROM queues AS q
    WHERE q.number = present.queue AND left(q.kind, 1) <> '~' AND q.ends_ms > $1 AND EXISTS (
        SELECT 1 FROM messages AS m
        WHERE m.backlog AND m.lifetime <> -1 AND m.queue = q.number AND m.visible_ms <= $1 AND m.expires_ms > $1
    )
    OFFSET 0
) AS due
LIMIT $2

-- name: stats
SELECT count(*) FILTER (WHERE m.visible_ms > $4 AND c.number IS NOT NULL),
    count(*) FILTER (WHERE m.visible_ms > $4 AND c.number IS NULL), count(*) FILTER (WHERE m.visible_ms <= $4),
    min(m.sequence), max(m.sequence), max(q.number)
FROM queues AS q JOIN messages AS m ON m.queue = q.number AND m.expires_ms > $4
LEFT JOIN claims AS c ON c.queue = m.queue AND c.number = m.claim AND c.expires_ms > $4
WHERE q.project = $1 AND q.kind = $2 AND q.name = $3 AND (q.ends_ms IS NULL OR q.ends_ms > $4)
    AND is_here($1, $2, $3)

-- name: messages_at
SELECT m.sequence, m.id, m.body, m.ttl_s, m.created_ms, m.expires_ms, m.visible_ms, m.attempts, c.id, m.client,
    m.attributes
FROM messages AS m LEFT JOIN claims AS c ON c.queue = m.queue AND c.number = m.claim AND c.expires_ms > $1
WHERE m.queue = $2 AND m.sequence = ANY ($3::bigint[]) ORDER BY m.sequence

-- name: clear_queue
SELECT clear_queue($1, $2, $3, $4)

-- name: remove_queue
SELECT remove_queue($1, $2, $3, $4)

-- name: ensure_queue
SELECT ensure_queues(ARRAY[$1]::text[], ARRAY[$2]::text[], ARRAY[$3]::text[], ARRAY[$4]::integer[], ARRAY[$5]::bigint[])

-- name: create_queue
SELECT create_queue($1, $2, $3, $4, $5, $6, $7)

-- name: hold_queues
SELECT hold_queues($1, $2, $3)

-- name: lock_mark
SELECT 1 FROM marks WHERE mark = $1 FOR UPDATE

-- name: replace_metadata
UPDATE queues SET metadata = $4, revision = revision + 1 WHERE project = $1 AND kind = $2 AND name = $3
RETURNING revision, created_ms, subscriptions

-- name: note_gap
UPDATE places SET last = last + 1, removed = last + 1
WHERE queue = (SELECT number FROM queues WHERE project = $1 AND kind = $2 AND name = $3)

-- name: is_idle
SELECT q.revision = $4 AND q.subscriptions = 0 AND p.last <= $5 AND NOT EXISTS (
    SELECT 1 FROM claims AS c WHERE c.queue = q.number AND c.expires_ms > $6
        AND EXISTS (SELECT 1 FROM messages AS m WHERE m.queue = c.queue AND m.claim = c.number)
    LIMIT 1
) AND (
    -- Where so many claims live, even if each has been emptied, somebody was there a moment ago.
    SELECT count(*) < 100 FROM (
        SELECT 1 FROM claims AS c WHERE c.queue = q.number AND c.expires_ms > $6 LIMIT 100
    ) AS living
)
FROM queues AS q JOIN places AS p ON p.queue = q.number
WHERE q.project = $1 AND q.kind = $2 AND q.name = $3

-- One node sweeps at a time; the others have nothing to do then.
-- name: may_sweep
SELECT pg_try_advisory_xact_lock(1400204139, 1)

-- name: sweep_messages
SELECT sweep_messages($1, $2)

-- name: sweep_dropped
SELECT sweep_dropped($1)

-- name: sweep_claims
DELETE FROM claims WHERE (queue, id) IN (SELECT queue, id FROM claims WHERE expires_ms <= $1 LIMIT $2)

-- name: sweep_once
DELETE FROM once WHERE (queue, key) IN (SELECT queue, key FROM once WHERE expires_ms <= $1 LIMIT $2)

-- name: notify
SELECT pg_notify('sukkal', $1)

-- All parts of what is said go in one statement, and so in one commit and one after the other.
-- name: say
SELECT count(pg_notify('sukkal_words', part)) FROM unnest($1::text[]) AS parts (part)

-- name: clock_ms
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint
