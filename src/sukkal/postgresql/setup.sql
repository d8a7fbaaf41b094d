-- What is asked and done when a node starts. Each statement stands under its name; see statements.py.

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
