"""MySQL itself: where MySQL is chosen, the other tests have MariaDB, which is what Debian's releases have."""

import os
import shutil
from pathlib import Path

from tests.processes import completed
from tests.servers import (
    START_SECONDS,
    Running,
    ServerMissingError,
    create_database,
    database_running,
    execute,
    free_port,
    home_of,
    launch,
    started,
)
from tests.stand_ins import mirror

USER, PASSWORD = "shop", "of-the-shop"


def new_mysql_database(shared: Path) -> str:
    """Return the URL of an empty database of a MySQL server, as a user who signs in with `caching_sha2_password`."""
    server = started("mysql-itself", shared, start_mysql_itself)
    return create_database(server.url.replace("root@", f"{USER}:{PASSWORD}@"))


def start_mysql_itself() -> Running:
    """Start the MySQL of Debian's unstable release with its own libraries: nothing is installed.

    Raises:
        ServerMissingError: this machine cannot unpack it.
    """
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        raise ServerMissingError("MySQL itself needs root here, and mmdebstrap (apt-get install mmdebstrap)")
    home, user = home_of("mysql-itself", "mysql")
    root = Path(home, "root")
    # The snapshot of a mirror may be older than its signature says.
    options = ["--quiet", "--variant=extract", '--aptopt=Acquire::Check-Valid-Until "false"']
    completed(["mmdebstrap", *options, "--include=mysql-server-core", "sid", str(root), mirror()])
    loader, libraries = next(root.glob("usr/lib*/ld-linux*.so.?")), next(root.glob("usr/lib/*-linux-gnu"))
    command = [str(loader), "--library-path", f"{libraries}:{root}/usr/lib/mysql/private"]
    command += [f"{root}/usr/sbin/mysqld", "--no-defaults", f"--basedir={root}/usr", f"--datadir={home}/data"]
    command += [f"--lc-messages-dir={root}/usr/share/mysql", f"--plugin-dir={root}/usr/lib/mysql/plugin"]
    command += ["--secure-file-priv=NULL"]
    launch([*command, "--initialize-insecure"], home, user).wait(START_SECONDS)
    port = free_port()
    options = [
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--socket={home}/socket",
        "--mysqlx=OFF",
        "--skip-log-bin",
    ]
    options += ["--innodb-flush-log-at-trx-commit=0"]
    url = f"mysql://root@127.0.0.1:{port}/mysql"
    server = database_running(launch([*command, *options], home, user), home, url)
    execute(url, f"CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
    execute(url, f"GRANT ALL ON *.* TO {USER}@'127.0.0.1'")
    return server
