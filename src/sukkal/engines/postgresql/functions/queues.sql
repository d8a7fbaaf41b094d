-- Finding, making and giving up queues.
--
-- Who changes contents holds their place, a row lock, until the commit: so sequences are given in the order of commits.
-- Marks are locked before places, and each of them in the order of their numbers, so that nobody waits in a ring.

CREATE FUNCTION create_queue(
    its_project text, its_kind text, its_name text, its_mark integer, its_metadata bytea, now_ms bigint, its_ends_ms bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    given bigint;
BEGIN
    UPDATE marks SET last = last + 1 WHERE mark = its_mark RETURNING last * 4096 + mark INTO given;
    -- Whoever holds a queue that does not exist has locked its mark.
    PERFORM refuse_marked(ARRAY[its_project], ARRAY[its_kind], ARRAY[its_name]);
    INSERT INTO queues (project, kind, name, number, metadata, revision, created_ms, ends_ms)
    VALUES (its_project, its_kind, its_name, given, its_metadata, 1, now_ms, its_ends_ms)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO places (queue, last) VALUES (given, given);
    RETURN given;
END
$$;

-- Make those of the queues that do not exist, but no backlogs: they come and go with their subscriptions.
CREATE FUNCTION ensure_queues(projects text[], kinds text[], names text[], q_marks integer[], nows_ms bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    missing record;
BEGIN
    FOR missing IN
        SELECT w.* FROM unnest(projects, kinds, names, q_marks, nows_ms) AS w (project, kind, name, mark, now_ms)
        WHERE w.kind <> 'backlog' AND w.now_ms IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM queues AS q WHERE q.project = w.project AND q.kind = w.kind AND q.name = w.name
        )
        ORDER BY w.mark
    LOOP
        PERFORM create_queue(
            missing.project, missing.kind, missing.name, missing.mark, '{}'::bytea, missing.now_ms, NULL
        );
    END LOOP;
END
$$;

-- Lock the places of queues and return their numbers, 0 for one that does not exist; and whether one of the queues is
-- held for a move, or followed.
CREATE FUNCTION lock_places(
    projects text[], kinds text[], names text[],
    OUT numbers bigint[], OUT any_held boolean, OUT any_followed boolean
) LANGUAGE plpgsql AS $$
DECLARE
    locked bigint;
BEGIN
    LOOP
        numbers := ARRAY(
            SELECT coalesce(q.number, 0)
            FROM unnest(projects, kinds, names) WITH ORDINALITY AS w (project, kind, name, nth)
            LEFT JOIN queues AS q ON q.project = w.project AND q.kind = w.kind AND q.name = w.name
            ORDER BY w.nth
        );
        SELECT count(*), bool_or(p.held), bool_or(p.followed) INTO locked, any_held, any_followed FROM (
            SELECT held, followed FROM places WHERE queue = ANY (numbers) ORDER BY queue FOR UPDATE
        ) AS p;
        -- A queue that was cleared or deleted while we waited has another place now, or none.
        EXIT WHEN locked = (SELECT count(DISTINCT n) FROM unnest(numbers) AS n WHERE n <> 0);
    END LOOP;
END
$$;

-- Lock the places of queues that are to be changed, and return their numbers.
CREATE FUNCTION hold_queues(projects text[], kinds text[], names text[])
RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    its record;
BEGIN
    SELECT * INTO its FROM lock_places(projects, kinds, names);
    IF its.any_held OR 0 = ANY (its.numbers) THEN
        PERFORM refuse_marked(projects, kinds, names);
    END IF;
    IF its.any_followed THEN
        PERFORM note_changes();
    END IF;
    RETURN its.numbers;
END
$$;

-- Make those of the queues that are wanted at a time, hold the places of all, and return their numbers.
CREATE FUNCTION make_and_hold(
    projects text[], kinds text[], names text[], q_marks integer[], nows_ms bigint[]
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    numbers bigint[];
BEGIN
    LOOP
        PERFORM ensure_queues(projects, kinds, names, q_marks, nows_ms);
        numbers := hold_queues(projects, kinds, names);
        -- One may have been deleted while we waited for it.
        EXIT WHEN NOT EXISTS (
            SELECT 1 FROM unnest(kinds, nows_ms, numbers) AS w (kind, now_ms, number)
            WHERE w.kind <> 'backlog' AND w.now_ms IS NOT NULL AND w.number = 0
        );
    END LOOP;
    RETURN numbers;
END
$$;

-- Return when each of the queues ends, for ever if it does not.
CREATE FUNCTION ends_of(numbers bigint[]) RETURNS bigint[] LANGUAGE sql AS $$
    SELECT ARRAY(
        SELECT coalesce(q.ends_ms, 9223372036854775807)
        FROM unnest(numbers) WITH ORDINALITY AS n (number, nth) LEFT JOIN queues AS q ON q.number = n.number
        ORDER BY n.nth
    )
$$;

-- Take note of what is gone. Now and then it is looked up before which place nothing is left, so that nobody who reads
-- from the beginning has to step over it.
CREATE FUNCTION note_gone(gone_queues bigint[], gone_sequences bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(gone_queues) = 0 THEN
        RETURN;
    END IF;
    UPDATE places AS p
    SET removed = greatest(p.removed, g.sequence),
        gone = CASE WHEN p.gone + g.count < 1000 THEN p.gone + g.count ELSE 0 END,
        first = CASE WHEN p.gone + g.count < 1000 THEN p.first ELSE coalesce((
            SELECT m.sequence FROM messages AS m WHERE m.queue = p.queue AND m.sequence >= p.first
            ORDER BY m.sequence LIMIT 1
        ), p.last + 1) END
    FROM (
        SELECT w.queue, max(w.sequence) AS sequence, count(*)::integer AS count
        FROM unnest(gone_queues, gone_sequences) AS w (queue, sequence) GROUP BY w.queue
    ) AS g
    WHERE p.queue = g.queue;
END
$$;

-- Give up the contents of a queue whose place is held, and remember when. The mark is locked already.
CREATE FUNCTION drop_contents(its_queue bigint, its_mark integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    greatest_given bigint;
    was_followed boolean;
BEGIN
    DELETE FROM places WHERE queue = its_queue
    RETURNING greatest(last, removed), followed INTO greatest_given, was_followed;
    IF was_followed THEN
        DELETE FROM changed WHERE queue = its_queue;
    END IF;
    INSERT INTO dropped (queue) VALUES (its_queue);
    UPDATE marks SET last = greatest(last, greatest_given / 4096) + 1, dropped = (greatest(last, greatest_given / 4096) + 1)
        * 4096 + mark
    WHERE mark = its_mark;
END
$$;

CREATE FUNCTION clear_queue(its_project text, its_kind text, its_name text, its_mark integer)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    its_queue bigint;
    given bigint;
BEGIN
    PERFORM 1 FROM marks WHERE mark = its_mark FOR UPDATE;
    SELECT l.numbers[1] INTO its_queue FROM lock_places(ARRAY[its_project], ARRAY[its_kind], ARRAY[its_name]) AS l;
    IF its_queue = 0 THEN
        RETURN false;
    END IF;
    PERFORM drop_contents(its_queue, its_mark);
    UPDATE marks SET last = last + 1 WHERE mark = its_mark RETURNING last * 4096 + mark INTO given;
    UPDATE queues SET number = given WHERE project = its_project AND kind = its_kind AND name = its_name;
    INSERT INTO places (queue, last) VALUES (given, given);
    RETURN true;
END
$$;

CREATE FUNCTION remove_queue(its_project text, its_kind text, its_name text, its_mark integer)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    its_queue bigint;
BEGIN
    PERFORM 1 FROM marks WHERE mark = its_mark FOR UPDATE;
    SELECT l.numbers[1] INTO its_queue FROM lock_places(ARRAY[its_project], ARRAY[its_kind], ARRAY[its_name]) AS l;
    IF its_queue = 0 THEN
        RETURN false;
    END IF;
    PERFORM drop_contents(its_queue, its_mark);
    DELETE FROM queues WHERE project = its_project AND kind = its_kind AND name = its_name;
    RETURN true;
END
$$;
