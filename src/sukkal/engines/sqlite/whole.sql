-- Statements for a store as a whole; see statements.py. What is staged is in no queue.

-- name: all_queues
SELECT project, name, kind FROM queues
WHERE (project, kind, name) > (?, ?, ?) AND kind NOT LIKE '~%' ORDER BY project, kind, name LIMIT ?

-- name: all_records
SELECT kind, project, name, value, created_ms, expires_ms FROM records
WHERE (kind, project, name) > (?, ?, ?) AND (expires_ms IS NULL OR expires_ms > ?) ORDER BY kind, project, name LIMIT ?

-- name: bring_record
INSERT OR REPLACE INTO records (kind, project, name, created_ms, expires_ms, value) VALUES (?, ?, ?, ?, ?, ?)

-- name: begin_picture
BEGIN
