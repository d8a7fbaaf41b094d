-- Finding goes from the newest block of numbers to older ones, and ends when enough was found. In each block the index
-- of words is asked for what is in that block alone. So an answer costs what it returns and what matches in the last
-- block, and for rare words one look into each block that there is.

-- What the tokens of an entry begin with.
CREATE FUNCTION block(number bigint, shelf smallint, seq bigint) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN number || '-' || shelf || '-' || seq / 1024;

-- Of what a question finds in its block, behind "first" and in front of "below", the numbers that are not dropped and
-- are what is shown of an event or a resource.
--
-- There is one way only to do it, whatever the planner guesses: an index for each part, and none but it. Numbers are
-- hidden in expressions, so that no other index seems to be of use. What was found is looked through in the order in
-- which it was found, and no further than needed.
CREATE FUNCTION events_in_block(
    in_project bigint, question tsquery, needed text[], unwanted text[], first bigint, below bigint, since_ms bigint,
    in_queue text, most integer
) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE
SET enable_bitmapscan = on
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT e.seq, e.identity, e.queue, e.kind FROM entries AS e
        WHERE e.words @@ question AND e.seq + 0 >= first AND e.seq + 0 < below AND e.posted_ms >= since_ms
            AND has_text(e.text, needed, unwanted)
        ORDER BY e.seq + 0 DESC
    )
    SELECT f.seq FROM found AS f
    WHERE NOT is_dropped(in_project, f.queue, f.kind, f.seq)
        AND NOT EXISTS (
            SELECT 1 FROM entries AS o
            WHERE o.identity = f.identity AND o.seq + 0 < f.seq
                AND (in_queue IS NULL OR o.queue = in_queue) AND NOT is_dropped(in_project, o.queue, o.kind, o.seq)
        )
    LIMIT most;
END
$$;

CREATE FUNCTION resources_in_block(
    in_project bigint, question tsquery, needed text[], unwanted text[], first bigint, below bigint, since_ms bigint,
    with_deleted boolean, most integer
) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE
SET enable_bitmapscan = on
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT e.seq, e.identity, e.queue, e.kind, e.time_ms FROM entries AS e
        WHERE e.words @@ question AND e.seq + 0 >= first AND e.seq + 0 < below AND e.posted_ms >= since_ms
            AND e.deleted <= with_deleted AND has_text(e.text, needed, unwanted)
        ORDER BY e.seq + 0 DESC
    )
    SELECT f.seq FROM found AS f
    WHERE NOT is_dropped(in_project, f.queue, f.kind, f.seq)
        AND NOT EXISTS (
            SELECT 1 FROM entries AS o
            WHERE o.identity = f.identity AND (o.time_ms, o.seq + 0) > (f.time_ms, f.seq)
                AND NOT is_dropped(in_project, o.queue, o.kind, o.seq)
        )
    LIMIT most;
END
$$;

-- What the index of words cannot tell: words side by side, and very long ones.
CREATE FUNCTION has_text(said text, needed text[], unwanted text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN (cardinality(needed) = 0 OR (SELECT bool_and(position(each IN said) > 0) FROM unnest(needed) AS each))
    AND (cardinality(unwanted) = 0 OR (SELECT bool_and(position(each IN said) = 0) FROM unnest(unwanted) AS each));

CREATE FUNCTION is_dropped(in_project bigint, of_queue text, of_kind text, of_seq bigint) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT 1 FROM dropped AS d
    WHERE d.project = in_project AND d.queue = of_queue AND d.kind = of_kind AND of_seq <= d.seq
);

-- "question" has an @ where the block belongs. Nothing is put before it was posted but for clocks that differ, so what was
-- put before "early_ms" is not looked at.
CREATE FUNCTION found(
    of_project text, on_shelf smallint, question text, needed text[], unwanted text[], before bigint, since_ms bigint,
    early_ms bigint, in_queue text, with_deleted boolean, most integer
) RETURNS TABLE (project bigint, seq bigint)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    in_project bigint := (SELECT p.number FROM projects AS p WHERE p.project = of_project);
    first bigint := 0;
    below bigint := before;
    top bigint;
    query tsquery;
    here bigint[];
    left_over integer := most;
BEGIN
    IF early_ms IS NOT NULL THEN
        first := (
            SELECT e.seq FROM entries AS e
            WHERE e.project = in_project AND e.shelf = on_shelf AND e.indexed_ms >= early_ms
            ORDER BY e.indexed_ms, e.seq LIMIT 1
        );
    END IF;
    WHILE left_over > 0 LOOP
        top := (
            SELECT e.seq FROM entries AS e
            WHERE e.project = in_project AND e.shelf = on_shelf AND e.seq < below
            ORDER BY e.seq DESC LIMIT 1
        );
        EXIT WHEN top IS NULL OR first IS NULL OR top < first;
        query := replace(question, '@', block(in_project, on_shelf, top))::tsquery;
        IF on_shelf = 0 THEN
            here := ARRAY(SELECT events_in_block(
                in_project, query, needed, unwanted, first, below, since_ms, in_queue, left_over
            ));
        ELSE
            here := ARRAY(SELECT resources_in_block(
                in_project, query, needed, unwanted, first, below, since_ms, with_deleted, left_over
            ));
        END IF;
        RETURN QUERY SELECT in_project, each FROM unnest(here) AS each;
        left_over := left_over - cardinality(here);
        below := top / 1024 * 1024;
    END LOOP;
END
$$;
