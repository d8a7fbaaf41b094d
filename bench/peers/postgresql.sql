-- name: make
CREATE TABLE "{queue}" (
    msg_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    read_ct integer NOT NULL DEFAULT 0,
    enqueued_at timestamptz NOT NULL DEFAULT now(),
    vt timestamptz NOT NULL,
    message jsonb NOT NULL
);

-- name: index
CREATE INDEX "{queue}-vt" ON "{queue}" (vt);

-- name: post
INSERT INTO "{queue}" (vt, message) VALUES (clock_timestamp(), $1::jsonb);

-- name: take
WITH found AS (
    SELECT msg_id FROM "{queue}"
    WHERE vt <= clock_timestamp()
    ORDER BY msg_id
    LIMIT 10
    FOR UPDATE SKIP LOCKED
)
UPDATE "{queue}" AS taken
SET vt = clock_timestamp() + interval '1 hour', read_ct = taken.read_ct + 1
FROM found
WHERE taken.msg_id = found.msg_id
RETURNING taken.msg_id, taken.read_ct, taken.enqueued_at, taken.vt, taken.message;

-- name: delete
DELETE FROM "{queue}" WHERE msg_id = ANY($1::bigint[]);

-- name: list
SELECT msg_id, enqueued_at, message FROM "{queue}" WHERE vt <= clock_timestamp() ORDER BY msg_id LIMIT 20;

-- name: post_and_tell
WITH posted AS (
    INSERT INTO "{queue}" (vt, message) VALUES (clock_timestamp(), $1::jsonb) RETURNING msg_id
)
SELECT pg_notify('{queue}', msg_id::text) FROM posted;

-- name: analyze
ANALYZE "{queue}";
