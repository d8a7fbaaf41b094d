-- What all parts ask that keep something here. Each statement stands under its name; see schema.py.

-- name: server
SELECT current_setting('server_version_num')::integer, pg_is_in_recovery(),
    has_database_privilege(current_database(), 'CREATE'), to_regnamespace($1) IS NOT NULL,
    to_regnamespace($2) IS NOT NULL

-- One node after another looks whether there is something to do.
-- name: one_at_a_time
SELECT pg_advisory_xact_lock(1400204139, 0)

-- name: create_schema
CREATE SCHEMA IF NOT EXISTS "{}"

-- Functions may call others that come after them.
-- name: make_functions_in
SET LOCAL search_path = "{}", "{}"; SET LOCAL check_function_bodies = off

-- name: create_versions
CREATE TABLE IF NOT EXISTS versions (
    version integer PRIMARY KEY,
    works_with integer NOT NULL
)

-- name: versions
SELECT coalesce(max(version), 0), coalesce(max(works_with), 0) FROM versions

-- name: note_version
INSERT INTO versions (version, works_with) VALUES ($1, $2)

-- What a server is like, for those who only look.
-- name: look
SELECT current_setting('server_version'), pg_is_in_recovery(), has_database_privilege(current_database(), 'CREATE'),
    current_setting('fsync')::boolean AND current_setting('full_page_writes')::boolean
        AND current_setting('synchronous_commit') <> 'off',
    current_setting('max_connections')::integer
        - (SELECT count(*)::integer FROM pg_stat_activity WHERE backend_type = 'client backend'),
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint

-- name: has_versions
SELECT to_regclass(quote_ident($1) || '.versions') IS NOT NULL

-- What a connection is known by: another server, or this one at another time, has none of that name.
-- name: own_name
SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()

-- name: is_at_it
SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2 AND state <> 'idle')
