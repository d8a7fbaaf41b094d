-- One project's index. What lies here is a copy: a file of another version is thrown away, not migrated.
--
-- `tags` holds a token for everything that can be asked for exactly, so that a question is one expression of the
-- full-text index whatever it asks for. The words themselves are not kept a second time (contentless).

-- An event that came to several queues is kept for each, so that it is there for as long as one of them.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    identity BLOB NOT NULL,
    type TEXT NOT NULL,
    source TEXT NOT NULL,
    queue TEXT NOT NULL,
    kind TEXT NOT NULL,
    message_id TEXT NOT NULL,
    posted_ms INTEGER NOT NULL,
    indexed_ms INTEGER NOT NULL,
    resource_type TEXT,
    resource_id TEXT,
    deleted INTEGER NOT NULL,
    size INTEGER NOT NULL,
    event BLOB NOT NULL
);

CREATE UNIQUE INDEX events_identity ON events (identity, queue, kind);
CREATE INDEX events_queue ON events (queue, kind);
CREATE INDEX events_indexed ON events (indexed_ms);

CREATE VIRTUAL TABLE event_words USING fts5 (
    tags, text, content = '', contentless_delete = 1, prefix = '3', tokenize = "unicode61 remove_diacritics 2"
);

-- What each queue was told of a resource last. It gets a new number with every change, so that the last one changed is
-- the first one found.
CREATE TABLE resources (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    identity BLOB NOT NULL,
    type TEXT NOT NULL,
    source TEXT NOT NULL,
    queue TEXT NOT NULL,
    kind TEXT NOT NULL,
    message_id TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    posted_ms INTEGER NOT NULL,
    indexed_ms INTEGER NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    size INTEGER NOT NULL,
    event BLOB NOT NULL
);

CREATE UNIQUE INDEX resources_identity ON resources (identity, queue, kind);
CREATE INDEX resources_queue ON resources (queue, kind);
CREATE INDEX resources_indexed ON resources (indexed_ms);
CREATE INDEX resources_deleted ON resources (indexed_ms) WHERE deleted = 1;

CREATE VIRTUAL TABLE resource_words USING fts5 (
    tags, text, content = '', contentless_delete = 1, prefix = '3', tokenize = "unicode61 remove_diacritics 2"
);

CREATE TABLE types (
    type TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    schema BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE producers (
    type TEXT NOT NULL,
    source TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (type, source)
) WITHOUT ROWID;

-- Queues whose past is gone, with the last numbers that were given before. What was posted before that and is still on
-- its way is told by the time.
CREATE TABLE dropped (
    queue TEXT NOT NULL,
    kind TEXT NOT NULL,
    dropped_ms INTEGER NOT NULL,
    emptied INTEGER NOT NULL,
    event_seq INTEGER NOT NULL,
    resource_seq INTEGER NOT NULL,
    PRIMARY KEY (queue, kind)
) WITHOUT ROWID;

CREATE INDEX dropped_emptied ON dropped (emptied, dropped_ms);

CREATE TABLE kept (
    project TEXT NOT NULL,
    bytes INTEGER NOT NULL
);
