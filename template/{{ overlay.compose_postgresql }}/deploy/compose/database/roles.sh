#!/bin/sh
# Run once, when the database is made: `migrate` owns the schema, `serve` reads and writes rows and can do nothing else.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username postgres --dbname app <<'SQL'
\set migrate `sed 's|.*://migrate:\([^@]*\)@.*|\1|' /run/secrets/migrate_database_url`
\set serve `sed 's|.*://serve:\([^@]*\)@.*|\1|' /run/secrets/serve_database_url`
CREATE ROLE migrate LOGIN PASSWORD :'migrate';
CREATE ROLE serve LOGIN PASSWORD :'serve';
REVOKE ALL ON DATABASE app FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC;
GRANT CONNECT ON DATABASE app TO migrate, serve;
ALTER SCHEMA public OWNER TO migrate;
GRANT USAGE ON SCHEMA public TO serve;
ALTER DEFAULT PRIVILEGES FOR ROLE migrate IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO serve;
ALTER DEFAULT PRIVILEGES FOR ROLE migrate IN SCHEMA public GRANT USAGE ON SEQUENCES TO serve;
-- Alembic's own table, made here so that only `migrate` writes to it.
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY);
ALTER TABLE alembic_version OWNER TO migrate;
GRANT SELECT ON alembic_version TO serve;
SQL
