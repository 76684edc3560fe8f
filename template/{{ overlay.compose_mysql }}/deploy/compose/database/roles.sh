#!/bin/sh
# Run once, when the database is made: `migrate` changes the schema, `serve` reads and writes rows and can do nothing else.
migrate=$(sed 's|.*://migrate:\([^@]*\)@.*|\1|' /run/secrets/migrate_database_url)
serve=$(sed 's|.*://serve:\([^@]*\)@.*|\1|' /run/secrets/serve_database_url)
MYSQL_PWD="$(cat /run/secrets/database_password)" mariadb --user=root <<SQL
CREATE USER migrate@'%' IDENTIFIED BY '$migrate';
CREATE USER serve@'%' IDENTIFIED BY '$serve';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER, CREATE VIEW ON app.* TO migrate@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON app.* TO serve@'%';
SQL
