-- Every number (of a queue's contents, a claim, a message) comes from one counter that is never set back, so that
-- nothing is ever taken for something else that was deleted before.
CREATE TABLE counter (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL
) STRICT;

INSERT INTO counter (id, last) VALUES (1, 0);

-- "number" names the contents of the queue. Clearing or deleting the queue gives the number up to "dropped" and so
-- costs the same however much there is to remove.
CREATE TABLE queues (
    project TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    number INTEGER NOT NULL UNIQUE,
    metadata BLOB NOT NULL,
    revision INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (project, kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE dropped (
    number INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE messages (
    sequence INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    client TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    ttl_s INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    visible_ms INTEGER NOT NULL,
    lifetime INTEGER NOT NULL,
    claim INTEGER,
    attempts INTEGER NOT NULL,
    attributes BLOB,
    body BLOB NOT NULL
) STRICT;

-- Claims and the free view seek in this one. What is claimed or delayed lies behind "now"; what has expired lies, in
-- each class of lifetimes, in front of a bound that can be computed: neither is ever stepped over.
CREATE INDEX messages_due ON messages (queue, lifetime, visible_ms);

-- In the order of posting (the row's key follows in every index).
CREATE INDEX messages_posted ON messages (queue);

-- Ids are made in the order of time, so with the id in front all queues append to the same page.
CREATE UNIQUE INDEX messages_id ON messages (id, queue);

CREATE INDEX messages_held ON messages (claim) WHERE claim IS NOT NULL;

CREATE INDEX messages_expiry ON messages (expires_ms);

CREATE INDEX messages_set_aside ON messages (visible_ms, queue) WHERE lifetime = -1;

CREATE TABLE claims (
    number INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    ttl_s INTEGER NOT NULL,
    grace_s INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX claims_id ON claims (queue, id);

CREATE INDEX claims_expiry ON claims (expires_ms);

CREATE TABLE once (
    queue INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    ids BLOB NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (queue, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX once_expiry ON once (expires_ms);
