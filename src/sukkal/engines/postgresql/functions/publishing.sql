-- Storing messages and deleting them by id, for all calls of a batch at once.

-- Of the queues (q_) each stands once. A call (c_) has a first queue, and what is to be remembered of it if it has a
-- name. A post (p_) is for one queue, a message (m_) for one post. "known" are the ids that a call had the first time.
CREATE FUNCTION publish(
    q_project text[], q_kind text[], q_name text[], q_mark integer[],
    c_now_ms bigint[], c_queue integer[], c_key text[], c_fingerprint bytea[], c_ids bytea[], c_expires_ms bigint[],
    p_call integer[], p_queue integer[],
    m_post integer[], m_id text[], m_client text[], m_ttl_s bigint[], m_expires_ms bigint[], m_visible_ms bigint[],
    m_lifetime bigint[], m_attributes bytea[], m_key bytea[], m_body bytea[],
    OUT epochs bigint[], OUT sequences bigint[], OUT known bytea[], OUT conflicts boolean[]
) LANGUAGE plpgsql AS $$
DECLARE
    numbers bigint[];
    ends bigint[];
    named boolean := EXISTS (SELECT 1 FROM unnest(c_key) AS k WHERE k IS NOT NULL);
    m_queue bigint[];
    m_now_ms bigint[];
    gone_queues bigint[];
    gone_sequences bigint[];
    doubled boolean;
BEGIN
    IF named THEN
        -- Where an act is remembered is made first, so that of two at once one finds the other.
        numbers := make_and_hold(q_project, q_kind, q_name, q_mark, ARRAY(
            SELECT (
                SELECT c.now_ms FROM unnest(c_queue, c_key, c_now_ms) WITH ORDINALITY AS c (queue, key, now_ms, nth)
                WHERE c.queue = q.nth AND c.key IS NOT NULL ORDER BY c.nth LIMIT 1
            ) FROM generate_series(1, cardinality(q_name)) AS q (nth) ORDER BY q.nth
        ));
        SELECT array_agg(o.ids ORDER BY c.nth), array_agg(o.fingerprint <> c.fingerprint ORDER BY c.nth)
        INTO known, conflicts
        FROM unnest(c_queue, c_key, c_fingerprint, c_now_ms) WITH ORDINALITY AS c (queue, key, fingerprint, now_ms, nth)
        LEFT JOIN once AS o ON o.queue = numbers[c.queue] AND o.key = c.key AND o.expires_ms > c.now_ms;
    END IF;
    -- A queue comes into being with the first call that posts to it, at that call's time.
    numbers := make_and_hold(q_project, q_kind, q_name, q_mark, ARRAY(
        SELECT (
            SELECT c_now_ms[p.call] FROM unnest(p_call, p_queue) WITH ORDINALITY AS p (call, queue, nth)
            WHERE p.queue = q.nth AND (known IS NULL OR known[p.call] IS NULL) ORDER BY p.nth LIMIT 1
        ) FROM generate_series(1, cardinality(q_name)) AS q (nth) ORDER BY q.nth
    ));
    ends := ends_of(numbers);
    epochs := ARRAY(
        SELECT CASE WHEN ends[p.queue] > c_now_ms[p.call] AND (known IS NULL OR known[p.call] IS NULL)
            THEN numbers[p.queue] ELSE 0 END
        FROM unnest(p_call, p_queue) WITH ORDINALITY AS p (call, queue, nth) ORDER BY p.nth
    );
    SELECT array_agg(epochs[w.post] ORDER BY w.nth), array_agg(c_now_ms[p_call[w.post]] ORDER BY w.nth)
    INTO m_queue, m_now_ms FROM unnest(m_post) WITH ORDINALITY AS w (post, nth);
    -- Ids that are there already. One that has expired and only waits to be swept makes room.
    doubled := EXISTS (
        SELECT 1 FROM unnest(m_queue, m_id) AS w (queue, id)
        JOIN messages AS m ON m.queue = w.queue AND m.id = w.id
    ) OR (SELECT count(*) > count(DISTINCT (w.queue, w.id)) FROM unnest(m_queue, m_id) AS w (queue, id));
    IF doubled THEN
        WITH gone AS (
            DELETE FROM messages AS m USING unnest(m_queue, m_id, m_now_ms) AS w (queue, id, now_ms)
            WHERE m.queue = w.queue AND m.id = w.id AND m.expires_ms <= w.now_ms
            RETURNING m.queue, m.sequence
        )
        SELECT array_agg(queue), array_agg(sequence) INTO gone_queues, gone_sequences FROM gone;
        PERFORM note_gone(coalesce(gone_queues, '{}'), coalesce(gone_sequences, '{}'));
        m_queue := ARRAY(
            SELECT CASE WHEN row_number() OVER (PARTITION BY w.queue, w.id ORDER BY w.nth) > 1 OR EXISTS (
                SELECT 1 FROM messages AS m WHERE m.queue = w.queue AND m.id = w.id
            ) THEN 0 ELSE w.queue END
            FROM unnest(m_queue, m_id) WITH ORDINALITY AS w (queue, id, nth) ORDER BY w.nth
        );
    END IF;
    sequences := ARRAY(
        SELECT coalesce(p.last + row_number() OVER (PARTITION BY w.queue ORDER BY w.nth), 0)
        FROM unnest(m_queue) WITH ORDINALITY AS w (queue, nth) LEFT JOIN places AS p ON p.queue = w.queue
        ORDER BY w.nth
    );
    INSERT INTO messages (
        queue, sequence, created_ms, ttl_s, expires_ms, visible_ms, lifetime, backlog, id, client, key, attributes, body
    )
    SELECT w.queue, w.sequence, w.now_ms, w.ttl_s, w.expires_ms, w.visible_ms, w.lifetime,
        q_kind[p_queue[w.post]] = 'backlog', w.id, w.client, w.key, w.attributes, w.body
    FROM unnest(
        m_queue, sequences, m_now_ms, m_ttl_s, m_expires_ms, m_visible_ms, m_lifetime, m_post, m_id, m_client, m_key,
        m_attributes, m_body
    ) AS w (queue, sequence, now_ms, ttl_s, expires_ms, visible_ms, lifetime, post, id, client, key, attributes, body)
    WHERE w.sequence <> 0;
    UPDATE places AS p SET last = g.last, low_ms = least(p.low_ms, g.visible_ms)
    FROM (
        SELECT w.queue, max(w.sequence) AS last, min(w.visible_ms) AS visible_ms
        FROM unnest(m_queue, sequences, m_visible_ms) AS w (queue, sequence, visible_ms)
        WHERE w.sequence <> 0 GROUP BY w.queue
    ) AS g
    WHERE p.queue = g.queue;
    PERFORM note_classes(m_queue, m_lifetime);
    IF EXISTS (SELECT 1 FROM unnest(m_key) AS k WHERE k IS NOT NULL) THEN
        PERFORM replace_older(m_queue, sequences, m_key, m_now_ms);
    END IF;
    IF named THEN
        INSERT INTO once (queue, key, fingerprint, ids, expires_ms)
        SELECT numbers[c.queue], c.key, c.fingerprint, c.ids, c.expires_ms
        FROM unnest(c_queue, c_key, c_fingerprint, c_ids, c_expires_ms, known)
            AS c (queue, key, fingerprint, ids, expires_ms, known)
        WHERE c.key IS NOT NULL AND c.known IS NULL AND numbers[c.queue] <> 0
        ON CONFLICT (queue, key) DO UPDATE
        SET fingerprint = excluded.fingerprint, ids = excluded.ids, expires_ms = excluded.expires_ms;
    END IF;
END
$$;

-- Remove what nobody has claimed and a message with the same key takes the place of.
CREATE FUNCTION replace_older(m_queue bigint[], m_sequence bigint[], m_key bytea[], m_now_ms bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    gone_queues bigint[];
    gone_sequences bigint[];
BEGIN
    WITH gone AS (
        DELETE FROM messages AS m USING unnest(m_queue, m_sequence, m_key, m_now_ms) AS w (queue, sequence, key, now_ms)
        WHERE m.queue = w.queue AND m.key = w.key AND m.sequence < w.sequence
            AND m.lifetime <> -1 AND (m.claim IS NULL OR m.visible_ms <= w.now_ms)
        RETURNING m.queue, m.sequence
    )
    SELECT array_agg(queue), array_agg(sequence) INTO gone_queues, gone_sequences FROM gone;
    PERFORM note_gone(coalesce(gone_queues, '{}'), coalesce(gone_sequences, '{}'));
END
$$;

-- What became of each id: 0 it is gone, 1 it is claimed, 2 it was not there.
CREATE FUNCTION delete_messages(
    q_project text[], q_kind text[], q_name text[], c_queue integer[], c_now_ms bigint[], c_claimed boolean[],
    i_call integer[], i_id text[]
) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
    numbers bigint[] := hold_queues(q_project, q_kind, q_name);
    ends bigint[] := ends_of(numbers);
    outcomes integer[] := '{}';
    gone_queues bigint[] := '{}';
    gone_sequences bigint[] := '{}';
    its_queue bigint;
    now_ms bigint;
    its_sequence bigint;
BEGIN
    FOR nth IN 1 .. cardinality(i_id) LOOP
        its_queue := numbers[c_queue[i_call[nth]]];
        now_ms := c_now_ms[i_call[nth]];
        IF ends[c_queue[i_call[nth]]] <= now_ms THEN
            outcomes := outcomes || 2;
            CONTINUE;
        END IF;
        DELETE FROM messages AS m
        WHERE m.queue = its_queue AND m.id = i_id[nth] AND m.expires_ms > now_ms
            AND (c_claimed[i_call[nth]] OR m.claim IS NULL OR m.visible_ms <= now_ms)
        RETURNING m.sequence INTO its_sequence;
        IF FOUND THEN
            gone_queues := gone_queues || its_queue;
            gone_sequences := gone_sequences || its_sequence;
            outcomes := outcomes || 0;
        ELSIF EXISTS (
            SELECT 1 FROM messages AS m WHERE m.queue = its_queue AND m.id = i_id[nth] AND m.expires_ms > now_ms
        ) THEN
            outcomes := outcomes || 1;
        ELSE
            outcomes := outcomes || 2;
        END IF;
    END LOOP;
    PERFORM note_gone(gone_queues, gone_sequences);
    RETURN outcomes;
END
$$;
