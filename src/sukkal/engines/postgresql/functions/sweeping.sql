-- Removing what can no longer be seen, a slice at a time.

CREATE FUNCTION sweep_messages(until_ms bigint, how_many bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    removed_count bigint;
    gone_queues bigint[];
    gone_sequences bigint[];
BEGIN
    SELECT array_agg(m.queue), array_agg(m.sequence) INTO gone_queues, gone_sequences FROM (
        SELECT m.queue, m.sequence FROM messages AS m WHERE m.expires_ms <= until_ms
        ORDER BY m.expires_ms LIMIT how_many
    ) AS m;
    IF gone_queues IS NULL THEN
        RETURN 0;
    END IF;
    IF (
        SELECT bool_or(p.followed) FROM (
            SELECT followed FROM places WHERE queue = ANY (gone_queues) ORDER BY queue FOR UPDATE
        ) AS p
    ) THEN
        PERFORM note_changes();
    END IF;
    WITH gone AS (
        DELETE FROM messages AS m USING unnest(gone_queues, gone_sequences) AS w (queue, sequence)
        WHERE m.queue = w.queue AND m.sequence = w.sequence AND m.expires_ms <= until_ms
        RETURNING m.queue, m.sequence
    )
    SELECT count(*), coalesce(array_agg(queue), '{}'), coalesce(array_agg(sequence), '{}')
    INTO removed_count, gone_queues, gone_sequences FROM gone;
    PERFORM note_gone(gone_queues, gone_sequences);
    DELETE FROM classes AS c WHERE c.queue = ANY (gone_queues) AND NOT EXISTS (
        SELECT 1 FROM messages AS m WHERE m.queue = c.queue AND m.lifetime = c.lifetime
    );
    RETURN removed_count;
END
$$;

-- What is left of contents that were given up. Their number goes when nothing is.
CREATE FUNCTION sweep_dropped(how_many bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    its_queue bigint;
    removed_count bigint := 0;
    part bigint;
    before bigint;
BEGIN
    WHILE removed_count < how_many LOOP
        SELECT queue INTO its_queue FROM dropped LIMIT 1;
        EXIT WHEN NOT FOUND;
        before := removed_count;
        DELETE FROM messages AS m WHERE (m.queue, m.sequence) IN (
            SELECT d.queue, d.sequence FROM messages AS d WHERE d.queue = its_queue LIMIT how_many - removed_count
        );
        GET DIAGNOSTICS part = ROW_COUNT;
        removed_count := removed_count + part;
        DELETE FROM claims AS c WHERE (c.queue, c.id) IN (
            SELECT d.queue, d.id FROM claims AS d WHERE d.queue = its_queue LIMIT how_many - removed_count
        );
        GET DIAGNOSTICS part = ROW_COUNT;
        removed_count := removed_count + part;
        DELETE FROM once AS o WHERE (o.queue, o.key) IN (
            SELECT d.queue, d.key FROM once AS d WHERE d.queue = its_queue LIMIT how_many - removed_count
        );
        GET DIAGNOSTICS part = ROW_COUNT;
        removed_count := removed_count + part;
        IF removed_count = before THEN
            DELETE FROM classes WHERE queue = its_queue;
            DELETE FROM dropped WHERE queue = its_queue;
            removed_count := removed_count + 1;
        END IF;
    END LOOP;
    RETURN removed_count;
END
$$;
