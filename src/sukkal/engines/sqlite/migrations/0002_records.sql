-- Control records. The value stands last, so that a listing passes by an expired one without reading it.
CREATE TABLE records (
    kind TEXT NOT NULL,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    value BLOB NOT NULL,
    PRIMARY KEY (kind, project, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX records_expiry ON records (expires_ms) WHERE expires_ms IS NOT NULL;
