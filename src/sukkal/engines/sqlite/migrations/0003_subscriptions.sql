-- Whether a message waits in a subscription's backlog. Only such ones are in the index by which deliveries are found,
-- so that other messages do not pay for it; those that were given up are in neither.
ALTER TABLE messages ADD COLUMN backlog INTEGER NOT NULL DEFAULT 0;

CREATE INDEX messages_backlog ON messages (queue, visible_ms) WHERE backlog = 1 AND lifetime <> -1;

DROP INDEX messages_set_aside;

CREATE INDEX messages_set_aside ON messages (visible_ms, queue) WHERE lifetime = -1 AND backlog = 0;

-- How many subscriptions a queue has, expired ones included until they are swept.
ALTER TABLE queues ADD COLUMN subscriptions INTEGER NOT NULL DEFAULT 0;

-- A queue's number changes when it is cleared, its name does not.
CREATE TABLE subscriptions (
    project TEXT NOT NULL,
    kind TEXT NOT NULL,
    queue TEXT NOT NULL,
    id TEXT NOT NULL,
    subscriber TEXT NOT NULL,
    ttl_s INTEGER NOT NULL,
    options BLOB NOT NULL,
    confirmed INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (project, kind, queue, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX subscriptions_subscriber ON subscriptions (project, kind, queue, subscriber);

CREATE INDEX subscriptions_expiry ON subscriptions (expires_ms);
