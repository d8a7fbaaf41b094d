-- What is needed to ask questions of documents that are not kept; see matching.py.

-- name: create
CREATE VIRTUAL TABLE words USING fts5 (
    tags, text, content = '', contentless_delete = 1, prefix = '2 3', tokenize = "unicode61 remove_diacritics 2"
)

-- name: add
INSERT INTO words (rowid, tags, text) VALUES (?, ?, ?)

-- name: find
SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid
