#!/bin/sh
# Run once, when the database is made: `migrate` changes the schema, `serve` reads and writes rows and can do nothing else.
migrate=$(sed 's|.*://migrate:\([^@]*\)@.*|\1|' /run/secrets/migrate_database_url)
serve=$(sed 's|.*://serve:\([^@]*\)@.*|\1|' /run/secrets/serve_database_url)
{
  cat <<SQL
CREATE USER migrate@'%' IDENTIFIED BY '$migrate';
CREATE USER serve@'%' IDENTIFIED BY '$serve';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER, CREATE VIEW ON app.* TO migrate@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON app.* TO serve@'%';
CREATE TABLE app.alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
DELIMITER //
SQL
  # Only `migrate` writes to Alembic's own table. An account has no fewer rights to one table than to all, so triggers refuse.
  for event in INSERT UPDATE DELETE; do
    echo "CREATE TRIGGER app.alembic_version_$event BEFORE $event ON app.alembic_version FOR EACH ROW
      IF USER() LIKE 'serve@%' THEN SIGNAL SQLSTATE '42000' SET MESSAGE_TEXT = 'command denied to serve'; END IF//"
  done
} | MYSQL_PWD="$(cat /run/secrets/database_password)" mariadb --user=root
