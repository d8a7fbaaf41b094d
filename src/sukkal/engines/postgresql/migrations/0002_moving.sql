-- Queues that are held for a move, or, with a time, the markers of those that were moved away.
CREATE TABLE markers (
    project text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    until_ms bigint,
    PRIMARY KEY (project, kind, name)
);

CREATE INDEX markers_end ON markers (until_ms) WHERE until_ms IS NOT NULL;

-- Who changes contents has locked their place, and so knows of these without another look: whether there is a marker,
-- and whether changes are noted.
ALTER TABLE places
    ADD COLUMN held boolean NOT NULL DEFAULT false,
    ADD COLUMN followed boolean NOT NULL DEFAULT false;

-- Messages of followed queues that have changed. In a queue the numbers are in the order of commits, since they are given
-- to whoever has locked its place.
CREATE TABLE changed (
    queue bigint NOT NULL,
    id text COLLATE "C" NOT NULL,
    number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (queue, id)
);

CREATE UNIQUE INDEX changed_number ON changed (queue, number);

CREATE FUNCTION note_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    its_queue bigint;
    its_id text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        its_queue := OLD.queue;
        its_id := OLD.id;
    ELSE
        its_queue := NEW.queue;
        its_id := NEW.id;
    END IF;
    IF EXISTS (SELECT 1 FROM places WHERE queue = its_queue AND followed) THEN
        DELETE FROM changed WHERE queue = its_queue AND id = its_id;
        INSERT INTO changed (queue, id) VALUES (its_queue, its_id);
    END IF;
    RETURN NULL;
END
$$;

-- Set by who has locked a place that is followed. For all others it is one look at a setting.
CREATE TRIGGER messages_followed AFTER INSERT OR UPDATE OR DELETE ON messages
FOR EACH ROW WHEN (current_setting('sukkal.follows', true) = 'on') EXECUTE FUNCTION note_changed();
