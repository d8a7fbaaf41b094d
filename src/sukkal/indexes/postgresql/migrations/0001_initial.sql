-- What lies here is a copy of what the store keeps or once kept. Every key begins with the project, and names are
-- ordered by their characters' numbers, whatever the database's own order is.

-- Whoever writes for a project locks its row, so that numbers are seen in their order. "last" is the last one given, and
-- "number" stands for the project everywhere else. One that is dropped and comes again gets another.
CREATE TABLE projects (
    project text COLLATE "C" PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    last bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Projects that were dropped, of which something lies here yet.
CREATE TABLE gone (
    number bigint PRIMARY KEY
);

-- Events are on shelf 0, each once for every queue that it came to, so that it is there for as long as one of them. On
-- shelf 1 is what each queue was told of a resource last, under a new number with every change.
--
-- "identity" begins with the project and the shelf, so that what is told by it can be looked for in one way only.
-- "text" has all words in their order, each between two blanks. "words" has each once, and a token for everything that
-- can be asked for exactly; all of them begin with the project, the shelf and a block of numbers, so that their index
-- is one of each block of each project. See functions/finding.sql.
CREATE TABLE entries (
    project bigint NOT NULL,
    shelf smallint NOT NULL,
    seq bigint NOT NULL,
    identity bytea NOT NULL,
    type text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    queue text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    message_id text COLLATE "C" NOT NULL,
    time_ms bigint NOT NULL,
    posted_ms bigint NOT NULL,
    indexed_ms bigint NOT NULL,
    resource_type text COLLATE "C",
    resource_id text COLLATE "C",
    deleted boolean NOT NULL,
    size bigint NOT NULL,
    words tsvector NOT NULL,
    text text COLLATE "C" NOT NULL,
    event bytea NOT NULL,
    PRIMARY KEY (project, shelf, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 2000);

CREATE UNIQUE INDEX entries_identity ON entries (identity, queue, kind);
CREATE INDEX entries_queue ON entries (project, queue, kind, seq);
CREATE INDEX entries_indexed ON entries (project, shelf, indexed_ms, seq);
CREATE INDEX entries_deleted ON entries (project, indexed_ms) WHERE shelf = 1 AND deleted;

-- Without a list of what is to be put into the index later, which everybody would have to read.
CREATE INDEX entries_words ON entries USING gin (words) WITH (fastupdate = off);

CREATE TABLE types (
    project bigint NOT NULL,
    type text COLLATE "C" NOT NULL,
    count bigint NOT NULL,
    first_ms bigint NOT NULL,
    last_ms bigint NOT NULL,
    source text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    schema bytea NOT NULL,
    PRIMARY KEY (project, type)
) WITH (fillfactor = 50);

CREATE INDEX types_last ON types (project, last_ms);

CREATE TABLE producers (
    project bigint NOT NULL,
    type text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (project, type, source)
) WITH (fillfactor = 50);

-- Queues whose past is gone, with the last number that was given before. What was posted before that and is still on its
-- way is told by the time.
CREATE TABLE dropped (
    project bigint NOT NULL,
    queue text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    dropped_ms bigint NOT NULL,
    emptied boolean NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (project, queue, kind)
);

CREATE INDEX dropped_to_empty ON dropped (project) WHERE NOT emptied;
CREATE INDEX dropped_emptied ON dropped (project, dropped_ms) WHERE emptied;
