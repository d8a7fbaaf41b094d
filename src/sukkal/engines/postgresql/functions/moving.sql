-- Whole queues that move to another database, or come from one.
--
-- A staged queue has the kind that it will have behind a "~", and numbers of the mark that it will have.

-- Refuse what is asked of queues that are held or were moved away. The codes are those of failures.py.
CREATE FUNCTION refuse_marked(projects text[], kinds text[], names text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    marked bigint;
    moved bigint;
BEGIN
    SELECT count(*), count(m.until_ms) INTO marked, moved
    FROM unnest(projects, kinds, names) AS w (project, kind, name)
    JOIN markers AS m ON m.project = w.project AND m.kind = w.kind AND m.name = w.name;
    IF moved > 0 THEN
        RAISE EXCEPTION 'moved' USING ERRCODE = 'SK001';
    ELSIF marked > 0 THEN
        RAISE EXCEPTION 'held' USING ERRCODE = 'SK002';
    END IF;
END
$$;

-- Refuse to read a queue that was moved away. It depends on no row, so a query asks it once.
CREATE FUNCTION is_here(its_project text, its_kind text, its_name text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM markers AS m
        WHERE m.project = its_project AND m.kind = its_kind AND m.name = its_name AND m.until_ms IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'moved' USING ERRCODE = 'SK001';
    END IF;
    RETURN true;
END
$$;

-- Have changes noted in this transaction. Most have none to note, and should not look for each of their messages.
CREATE FUNCTION note_changes() RETURNS void LANGUAGE sql AS $$
    SELECT set_config('sukkal.follows', 'on', true)
$$;

-- Make or change what is said of a staged queue, let its numbers be greater than its last, and return its number. What
-- was staged with another token is another mover's.
CREATE FUNCTION stage_queue(
    its_project text, staged_kind text, its_name text, its_mark integer, its_last bigint,
    its_metadata bytea, its_revision bigint, its_created_ms bigint, its_ends_ms bigint, its_token bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    its_queue bigint;
    staged_with bigint;
BEGIN
    UPDATE marks SET last = greatest(last, its_last / 4096) WHERE mark = its_mark;
    UPDATE queues SET metadata = its_metadata, revision = its_revision, created_ms = its_created_ms, ends_ms = its_ends_ms
    WHERE project = its_project AND kind = staged_kind AND name = its_name
    RETURNING number, token INTO its_queue, staged_with;
    IF staged_with <> its_token THEN
        RAISE EXCEPTION 'staged by another' USING ERRCODE = 'SK001';
    END IF;
    IF its_queue IS NULL THEN
        its_queue := create_queue(
            its_project, staged_kind, its_name, its_mark, its_metadata, its_created_ms, its_ends_ms
        );
        UPDATE queues SET revision = its_revision, token = its_token WHERE number = its_queue;
    END IF;
    UPDATE places SET last = greatest(last, its_last) WHERE queue = its_queue;
    RETURN its_queue;
END
$$;

-- Let a staged queue be seen. Whoever has an old place in it is told that something is missing. One that is there already
-- is not the one that was staged.
CREATE FUNCTION open_staged(
    its_project text, staged_kind text, its_kind text, its_name text, its_mark integer, its_token bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    its_queue bigint;
    its_last bigint;
    how_many bigint;
BEGIN
    SELECT l.numbers[1] INTO its_queue FROM lock_places(ARRAY[its_project], ARRAY[staged_kind], ARRAY[its_name]) AS l;
    IF its_queue = 0 THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT 1 FROM queues WHERE number = its_queue AND token <> its_token)
        OR EXISTS (SELECT 1 FROM queues WHERE project = its_project AND kind = its_kind AND name = its_name)
    THEN
        RAISE EXCEPTION 'staged by another, or there already' USING ERRCODE = 'SK001';
    END IF;
    UPDATE subscriptions SET kind = its_kind
    WHERE project = its_project AND kind = staged_kind AND queue = its_name;
    GET DIAGNOSTICS how_many = ROW_COUNT;
    UPDATE queues SET kind = its_kind, subscriptions = how_many WHERE number = its_queue;
    UPDATE places SET last = last + 1, removed = last + 1 WHERE queue = its_queue RETURNING last INTO its_last;
    UPDATE marks SET last = greatest(last, its_last / 4096) + 1,
        dropped = (greatest(last, its_last / 4096) + 1) * 4096 + mark
    WHERE mark = its_mark;
END
$$;
