-- Classes of lifetimes, as in lifetimes.py, for what is computed beside the data.

CREATE FUNCTION lifetime_class(lifetime_ms bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    seconds bigint := lifetime_ms / 1000;
    step bigint := 1;
BEGIN
    IF lifetime_ms <= 0 THEN
        RETURN 0;
    END IF;
    IF lifetime_ms % 1000 = 0 THEN
        WHILE seconds >= 100 * step AND step <= 100 LOOP
            step := step * 10;
        END LOOP;
        IF seconds % 3600 = 0 OR (step <= 100 AND seconds % step = 0) THEN
            RETURN 2 * seconds;
        END IF;
    END IF;
    IF seconds = 0 THEN
        RETURN 1;
    END IF;
    RETURN 2 * (1::bigint << (length(ltrim(seconds::bit(64)::text, '0')) - 1)) + 1;
END
$$;

-- A bound that no lifetime of the class exceeds.
CREATE FUNCTION longest_ms(lifetime bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN lifetime % 2 = 0 THEN lifetime / 2 ELSE greatest(2 * (lifetime / 2), 1) END * 1000
$$;

-- Note the classes of messages that were stored or moved.
CREATE FUNCTION note_classes(its_queues bigint[], lifetimes bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO classes (queue, lifetime)
    SELECT DISTINCT w.queue, w.lifetime FROM unnest(its_queues, lifetimes) AS w (queue, lifetime)
    WHERE w.queue <> 0
        AND NOT EXISTS (SELECT 1 FROM classes AS c WHERE c.queue = w.queue AND c.lifetime = w.lifetime)
    ON CONFLICT DO NOTHING
$$;
