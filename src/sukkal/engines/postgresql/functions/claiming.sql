-- Taking messages. The place of their queue is held.

-- The first free messages behind a place, found by one seek in each class of lifetimes.
CREATE FUNCTION free_messages(
    its_queue bigint, low_ms bigint, after_ms bigint, after_sequence bigint, now_ms bigint, how_many bigint
) RETURNS SETOF messages LANGUAGE sql STABLE AS $$
    SELECT f.* FROM classes AS c CROSS JOIN LATERAL (
        SELECT m.* FROM messages AS m
        WHERE m.queue = its_queue AND m.lifetime = c.lifetime
            AND (m.visible_ms, m.sequence) > (
                greatest(low_ms - 1, after_ms, now_ms - longest_ms(c.lifetime)),
                -- Whatever could have been claimed that long ago has expired, also in that very millisecond.
                CASE WHEN after_ms > low_ms - 1 AND after_ms > now_ms - longest_ms(c.lifetime) THEN after_sequence
                    ELSE 9223372036854775807 END
            )
            AND m.visible_ms <= now_ms AND m.expires_ms > now_ms
        ORDER BY m.visible_ms, m.sequence LIMIT how_many
    ) AS f
    WHERE c.queue = its_queue AND c.lifetime > 0
    ORDER BY f.visible_ms, f.sequence LIMIT how_many
$$;

-- Claim for all calls of a batch, one after the other: what one has taken the next does not find.
CREATE FUNCTION claim(
    q_project text[], q_kind text[], q_name text[],
    c_queue integer[], c_id text[], c_ttl_s bigint[], c_grace_s bigint[], c_limit bigint[], c_now_ms bigint[],
    c_max_attempts integer[], c_set_aside boolean[], c_settle boolean[]
) RETURNS TABLE (
    call integer, sequence bigint, id text, body bytea, ttl_s bigint, created_ms bigint, expires_ms bigint,
    visible_ms bigint, attempts integer, claim_id text, client text, attributes bytea
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    numbers bigint[] := hold_queues(q_project, q_kind, q_name);
    ends bigint[] := ends_of(numbers);
    lows bigint[];
    first_ms bigint[];
    firsts bigint[];
    gone_queues bigint[] := '{}';
    gone_sequences bigint[] := '{}';
    its_queue bigint;
    its_claim bigint;
    now bigint;
    until_ms bigint;
BEGIN
    lows := ARRAY(
        SELECT coalesce(p.low_ms, 0) FROM unnest(numbers) WITH ORDINALITY AS n (number, nth)
        LEFT JOIN places AS p ON p.queue = n.number ORDER BY n.nth
    );
    FOR nth IN 1 .. cardinality(c_queue) LOOP
        its_queue := numbers[c_queue[nth]];
        now := c_now_ms[nth];
        CONTINUE WHEN its_queue = 0 OR ends[c_queue[nth]] <= now;
        IF c_set_aside[nth] THEN
            SELECT array_agg(m.sequence ORDER BY m.visible_ms, m.sequence) INTO firsts FROM (
                SELECT m.sequence, m.visible_ms FROM messages AS m
                WHERE m.queue = its_queue AND m.lifetime = -1 AND m.visible_ms <= now AND m.expires_ms > now
                ORDER BY m.visible_ms, m.sequence LIMIT c_limit[nth]
            ) AS m;
        ELSE
            LOOP
                SELECT array_agg(f.sequence ORDER BY f.visible_ms, f.sequence),
                    array_agg(f.visible_ms ORDER BY f.visible_ms, f.sequence)
                INTO firsts, first_ms
                FROM free_messages(its_queue, lows[c_queue[nth]], -1, 0, now, c_limit[nth]) AS f;
                EXIT WHEN c_max_attempts[nth] IS NULL;
                -- Exhausted ones are met only after the queue's limit was lowered, and each is met once.
                UPDATE messages AS m SET lifetime = -1
                WHERE m.queue = its_queue AND m.sequence = ANY (firsts) AND m.attempts >= c_max_attempts[nth];
                EXIT WHEN NOT FOUND;
            END LOOP;
            -- What stood before these is taken, or has expired.
            IF coalesce(cardinality(firsts), 0) < c_limit[nth] THEN
                lows[c_queue[nth]] := greatest(lows[c_queue[nth]], now + 1);
            ELSE
                lows[c_queue[nth]] := greatest(lows[c_queue[nth]], first_ms[cardinality(first_ms)]);
            END IF;
        END IF;
        CONTINUE WHEN firsts IS NULL;
        until_ms := now + c_ttl_s[nth] * 1000;
        IF c_settle[nth] THEN
            RETURN QUERY
            WITH gone AS (
                DELETE FROM messages AS m WHERE m.queue = its_queue AND m.sequence = ANY (firsts)
                RETURNING m.*
            )
            SELECT nth, m.sequence, m.id, m.body, k.ttl_s, m.created_ms, k.expires_ms, until_ms,
                m.attempts + (NOT c_set_aside[nth])::integer, c_id[nth], m.client, m.attributes
            FROM gone AS m
            CROSS JOIN LATERAL kept(m.ttl_s, m.expires_ms, until_ms, c_ttl_s[nth], c_grace_s[nth]) AS k
            ORDER BY array_position(firsts, m.sequence);
            gone_queues := gone_queues || array_fill(its_queue, ARRAY[cardinality(firsts)]);
            gone_sequences := gone_sequences || firsts;
            CONTINUE;
        END IF;
        its_claim := nextval('claim_numbers');
        INSERT INTO claims (queue, id, number, ttl_s, grace_s, created_ms, expires_ms)
        VALUES (its_queue, c_id[nth], its_claim, c_ttl_s[nth], c_grace_s[nth], now, until_ms);
        RETURN QUERY
        WITH taken AS (
            UPDATE messages AS m
            SET claim = its_claim, visible_ms = until_ms, attempts = m.attempts + (NOT c_set_aside[nth])::integer,
                ttl_s = (kept(m.ttl_s, m.expires_ms, until_ms, c_ttl_s[nth], c_grace_s[nth])).ttl_s,
                expires_ms = (kept(m.ttl_s, m.expires_ms, until_ms, c_ttl_s[nth], c_grace_s[nth])).expires_ms,
                lifetime = CASE WHEN c_set_aside[nth] OR m.attempts + 1 >= c_max_attempts[nth] THEN -1
                    ELSE lifetime_class(
                        (kept(m.ttl_s, m.expires_ms, until_ms, c_ttl_s[nth], c_grace_s[nth])).expires_ms - until_ms
                    ) END
            WHERE m.queue = its_queue AND m.sequence = ANY (firsts)
            RETURNING m.*
        ), noted AS (
            INSERT INTO classes (queue, lifetime) SELECT DISTINCT t.queue, t.lifetime FROM taken AS t
            WHERE NOT EXISTS (SELECT 1 FROM classes AS c WHERE c.queue = its_queue AND c.lifetime = t.lifetime)
            ON CONFLICT DO NOTHING
        )
        SELECT nth, m.sequence, m.id, m.body, m.ttl_s, m.created_ms, m.expires_ms, m.visible_ms, m.attempts,
            c_id[nth], m.client, m.attributes
        FROM taken AS m ORDER BY array_position(firsts, m.sequence);
    END LOOP;
    UPDATE places AS p SET low_ms = w.low_ms FROM unnest(numbers, lows) AS w (queue, low_ms)
    WHERE p.queue = w.queue AND p.low_ms <> w.low_ms;
    PERFORM note_gone(gone_queues, gone_sequences);
END
$$;

-- The ttl and expiry of a message held until a time: it outlives its claim.
CREATE FUNCTION kept(
    its_ttl_s bigint, its_expires_ms bigint, until_ms bigint, claim_ttl_s bigint, claim_grace_s bigint,
    OUT ttl_s bigint, OUT expires_ms bigint
) LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN its_expires_ms >= until_ms THEN its_ttl_s ELSE claim_ttl_s + claim_grace_s END,
        CASE WHEN its_expires_ms >= until_ms THEN its_expires_ms ELSE until_ms + claim_grace_s * 1000 END
$$;
