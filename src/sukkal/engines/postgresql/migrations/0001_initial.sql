-- Names and ids are ordered by their characters' numbers, whatever the database's own order is.

-- Marks outlive queues: under the hash of a queue's key stand the last number that was given to contents of such a queue
-- and when contents were last given up. There are so many and no more. Numbers of different marks never meet: the mark is
-- the rest of a number divided by how many marks there are.
CREATE TABLE marks (
    mark integer PRIMARY KEY,
    last bigint NOT NULL DEFAULT 0,
    dropped bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 30, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

INSERT INTO marks (mark) SELECT generate_series(0, 4095);

-- "number" names the contents of the queue. Clearing or deleting the queue gives the number up to "dropped" and so
-- costs the same however much there is to remove. A backlog ends with its subscription, other queues have no end.
CREATE TABLE queues (
    project text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    number bigint NOT NULL UNIQUE,
    metadata bytea NOT NULL,
    revision bigint NOT NULL,
    created_ms bigint NOT NULL,
    subscriptions bigint NOT NULL DEFAULT 0,
    ends_ms bigint,
    PRIMARY KEY (project, kind, name)
) WITH (fillfactor = 80);

-- One narrow row for each queue's contents, which every change of them locks: "last" is the last sequence that was given,
-- "removed" the greatest one of what is gone, and nothing free stands before "low_ms", nor anything before "first". The
-- pages have room for new versions of their rows, so that a change touches no index.
CREATE TABLE places (
    queue bigint PRIMARY KEY,
    last bigint NOT NULL,
    removed bigint NOT NULL DEFAULT 0,
    low_ms bigint NOT NULL DEFAULT 0,
    first bigint NOT NULL DEFAULT 0,
    gone integer NOT NULL DEFAULT 0
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- The classes of lifetimes that the messages of a queue fall into, or once fell.
CREATE TABLE classes (
    queue bigint NOT NULL,
    lifetime bigint NOT NULL,
    PRIMARY KEY (queue, lifetime)
);

CREATE TABLE dropped (
    queue bigint PRIMARY KEY
);

CREATE TABLE messages (
    queue bigint NOT NULL,
    sequence bigint NOT NULL,
    created_ms bigint NOT NULL,
    ttl_s bigint NOT NULL,
    expires_ms bigint NOT NULL,
    visible_ms bigint NOT NULL,
    lifetime bigint NOT NULL,
    claim bigint,
    attempts integer NOT NULL DEFAULT 0,
    backlog boolean NOT NULL DEFAULT false,
    id text COLLATE "C" NOT NULL,
    client text NOT NULL,
    key bytea,
    attributes bytea,
    body bytea NOT NULL,
    PRIMARY KEY (queue, sequence)
) WITH (
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0.2,
    autovacuum_analyze_scale_factor = 0.2,
    autovacuum_vacuum_cost_delay = 0
);

CREATE UNIQUE INDEX messages_id ON messages (queue, id);

-- Claims and the free view seek in this one, from the bound that their class or the queue has.
CREATE INDEX messages_due ON messages (queue, lifetime, visible_ms, sequence);

CREATE INDEX messages_held ON messages (queue, claim) WHERE claim IS NOT NULL;

CREATE INDEX messages_expiry ON messages (expires_ms);

CREATE INDEX messages_set_aside ON messages (visible_ms, queue) WHERE lifetime = -1 AND NOT backlog;

CREATE INDEX messages_backlog ON messages (queue, visible_ms) WHERE backlog AND lifetime <> -1;

CREATE INDEX messages_key ON messages (queue, key) WHERE key IS NOT NULL;

CREATE SEQUENCE claim_numbers CACHE 100;

CREATE TABLE claims (
    queue bigint NOT NULL,
    id text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    ttl_s bigint NOT NULL,
    grace_s bigint NOT NULL,
    created_ms bigint NOT NULL,
    expires_ms bigint NOT NULL,
    PRIMARY KEY (queue, id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

CREATE UNIQUE INDEX claims_number ON claims (queue, number);

CREATE INDEX claims_expiry ON claims (expires_ms);

CREATE TABLE once (
    queue bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL,
    ids bytea NOT NULL,
    expires_ms bigint NOT NULL,
    PRIMARY KEY (queue, key)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX once_expiry ON once (expires_ms);

CREATE TABLE records (
    kind text COLLATE "C" NOT NULL,
    project text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    created_ms bigint NOT NULL,
    expires_ms bigint,
    value bytea NOT NULL,
    PRIMARY KEY (kind, project, name)
);

CREATE INDEX records_expiry ON records (expires_ms) WHERE expires_ms IS NOT NULL;

CREATE TABLE subscriptions (
    project text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    queue text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    subscriber text COLLATE "C" NOT NULL,
    ttl_s bigint NOT NULL,
    options bytea NOT NULL,
    confirmed boolean NOT NULL,
    created_ms bigint NOT NULL,
    expires_ms bigint NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (project, kind, queue, id)
);

CREATE UNIQUE INDEX subscriptions_subscriber ON subscriptions (project, kind, queue, subscriber);

CREATE INDEX subscriptions_expiry ON subscriptions (expires_ms);
