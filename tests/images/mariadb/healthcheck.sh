#!/bin/sh
# The official image's has the options --connect and --innodb_initialized, and an account of its own.
exec mariadb --protocol=tcp --host=127.0.0.1 --user=healthcheck --password=healthcheck --execute='SELECT 1' >/dev/null
