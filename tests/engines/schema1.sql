-- Data as the first version of the schema kept them: a queue of four messages, of which a claim holds two.
PRAGMA user_version = 1;
PRAGMA application_id = 1400204139;
BEGIN TRANSACTION;
CREATE TABLE claims (
    number INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    ttl_s INTEGER NOT NULL,
    grace_s INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;
INSERT INTO "claims" VALUES(6,1,'c',60,60,1000000,1060000);
CREATE TABLE counter (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL
) STRICT;
INSERT INTO "counter" VALUES(1,6);
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
INSERT INTO "messages" VALUES(2,1,'1','',1000000,300,1300000,1060000,480,6,1,NULL,X'223122');
INSERT INTO "messages" VALUES(3,1,'2','',1000000,300,1300000,1060000,480,6,1,NULL,X'223222');
INSERT INTO "messages" VALUES(4,1,'3','',1000000,300,1300000,1000000,600,NULL,0,NULL,X'223322');
INSERT INTO "messages" VALUES(5,1,'4','',1000000,300,1300000,1000000,600,NULL,0,NULL,X'223422');
CREATE TABLE once (
    queue INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    ids BLOB NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (queue, key)
) STRICT, WITHOUT ROWID;
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
INSERT INTO "queues" VALUES('p','queue','q',1,X'7B2261223A317D',1,1000000);
CREATE INDEX messages_due ON messages (queue, lifetime, visible_ms);
CREATE INDEX messages_posted ON messages (queue);
CREATE UNIQUE INDEX messages_id ON messages (id, queue);
CREATE INDEX messages_held ON messages (claim) WHERE claim IS NOT NULL;
CREATE INDEX messages_expiry ON messages (expires_ms);
CREATE INDEX messages_set_aside ON messages (visible_ms, queue) WHERE lifetime = -1;
CREATE UNIQUE INDEX claims_id ON claims (queue, id);
CREATE INDEX claims_expiry ON claims (expires_ms);
CREATE INDEX once_expiry ON once (expires_ms);
COMMIT;
