-- Queues that are held for a move, or, with a time, the markers of those that were moved away.
CREATE TABLE markers (
    project TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    until_ms INTEGER,
    PRIMARY KEY (project, kind, name)
) STRICT, WITHOUT ROWID;

-- Which messages of the queues that are followed have changed. Triggers note it, which exist only while one is.
CREATE TABLE followed (
    queue INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE changed (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    UNIQUE (queue, id)
) STRICT;
