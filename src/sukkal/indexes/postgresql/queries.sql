-- The index's statements; see sukkal.sql. A LIMIT within a join keeps the planner from turning the join around, and
-- what is removed is told by the places of rows, which nobody else changes meanwhile.

-- name: find
SELECT e.seq, e.queue, e.message_id, e.posted_ms, e.event, e.resource_type, e.resource_id, e.deleted
FROM found($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS f
CROSS JOIN LATERAL (
    SELECT * FROM entries WHERE project = f.project AND shelf = $2 AND seq = f.seq LIMIT 1
) AS e
ORDER BY e.seq DESC

-- The newest matches by what they have: the most frequent values of each, and under no name how many there are.
-- name: count
WITH matches AS MATERIALIZED (
    SELECT e.seq, e.queue, e.resource_type, e.type, e.source
    FROM found($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 + 1) AS f
    CROSS JOIN LATERAL (
        SELECT * FROM entries WHERE project = f.project AND shelf = $2 AND seq = f.seq LIMIT 1
    ) AS e
),
counted AS (
    SELECT a.name, a.value, count(*) AS number,
        row_number() OVER (PARTITION BY a.name ORDER BY count(*) DESC, a.value) AS rank
    FROM (SELECT * FROM matches ORDER BY seq DESC LIMIT $11) AS m
    CROSS JOIN LATERAL (VALUES
        ('queue', m.queue), ('resource_type', m.resource_type), ('type', m.type), ('source', m.source)
    ) AS a (name, value)
    WHERE a.name = ANY($12::text[]) AND a.value IS NOT NULL
    GROUP BY a.name, a.value
)
SELECT name, value, number FROM counted WHERE rank <= $13
UNION ALL
SELECT '', '', count(*) FROM matches

-- name: list_types
SELECT t.type, t.count, t.first_ms, t.last_ms, t.source, t.id, t.schema, p.sources, p.counts
FROM (
    SELECT * FROM types
    WHERE project = (SELECT number FROM projects WHERE project = $1) AND type > $2
    ORDER BY type LIMIT $3
) AS t
CROSS JOIN LATERAL (
    SELECT array_agg(source ORDER BY count DESC, source) AS sources, array_agg(count ORDER BY count DESC, source) AS counts
    FROM producers WHERE project = t.project AND type = t.type
) AS p
ORDER BY t.type

-- name: lock_project
SELECT number, last, bytes FROM projects WHERE project = $1 FOR UPDATE

-- name: make_project
INSERT INTO projects (project) VALUES ($1) ON CONFLICT (project) DO NOTHING

-- name: note_project
UPDATE projects SET last = $2, bytes = bytes + $3 WHERE number = $1 RETURNING bytes

-- name: queues_dropped
SELECT d.queue, d.kind, d.dropped_ms FROM unnest($2::text[], $3::text[]) AS a (queue, kind)
JOIN dropped AS d ON d.project = $1 AND d.queue = a.queue AND d.kind = a.kind

-- name: known
SELECT e.shelf, e.identity, e.seq, e.size, e.queue, e.kind, e.time_ms, e.deleted,
    is_dropped(e.project, e.queue, e.kind, e.seq)
FROM unnest($1::bytea[]) AS a (identity) JOIN entries AS e ON e.identity = a.identity

-- name: remove
DELETE FROM entries WHERE ctid = ANY(ARRAY(
    SELECT (SELECT e.ctid FROM entries AS e WHERE e.project = $1 AND e.shelf = a.shelf AND e.seq = a.seq LIMIT 1)
    FROM unnest($2::smallint[], $3::bigint[]) AS a (shelf, seq)
))

-- name: add
INSERT INTO entries
    (project, shelf, seq, identity, type, source, queue, kind, message_id, time_ms, posted_ms, indexed_ms,
     resource_type, resource_id, deleted, size, words, text, event)
SELECT $1, a.shelf, a.seq, a.identity, a.type, a.source, a.queue, a.kind, a.message_id, a.time_ms, a.posted_ms, $2,
    a.resource_type, a.resource_id, a.deleted, octet_length(a.event),
    array_to_tsvector(string_to_array(replace(a.words, '@', block($1, a.shelf, a.seq)), ' ')), a.text, a.event
FROM unnest(
    $3::smallint[], $4::bigint[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::bigint[], $12::bigint[], $13::text[], $14::text[], $15::boolean[], $16::text[], $17::text[], $18::bytea[]
) AS a (
    shelf, seq, identity, type, source, queue, kind, message_id, time_ms, posted_ms, resource_type, resource_id,
    deleted, words, text, event
)

-- name: types
SELECT type, count, first_ms, schema FROM types WHERE project = $1 AND type = ANY($2::text[])

-- name: count_types
SELECT count(*) FROM types WHERE project = $1

-- name: put_types
INSERT INTO types (project, type, count, first_ms, last_ms, source, id, schema)
SELECT $1, * FROM unnest(
    $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::bytea[]
)
ON CONFLICT (project, type) DO UPDATE SET
    count = excluded.count, first_ms = excluded.first_ms, last_ms = excluded.last_ms, source = excluded.source,
    id = excluded.id, schema = excluded.schema

-- name: count_known_producers
UPDATE producers AS p SET count = p.count + a.number
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS a (type, source, number)
WHERE p.project = $1 AND p.type = a.type AND p.source = a.source
RETURNING p.type, p.source

-- name: put_new_producer
INSERT INTO producers (project, type, source, count)
SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM producers WHERE project = $1 AND type = $2) < $5

-- name: drop_queue
INSERT INTO dropped (project, queue, kind, dropped_ms, emptied, seq)
VALUES ($1, $2, $3, $4, false, $5)
ON CONFLICT (project, queue, kind) DO UPDATE SET dropped_ms = excluded.dropped_ms, emptied = false, seq = excluded.seq

-- name: drop_project
WITH removed AS (DELETE FROM projects WHERE project = $1 RETURNING number)
INSERT INTO gone (number) SELECT number FROM removed
