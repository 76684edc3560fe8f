"""A connection pooler between a service and its PostgreSQL."""

import shutil
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.servers import ServerMissingError, free_port, home_of, launch, running

_SETTINGS = """\
[databases]
* = host={host} port={port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = trust
auth_file = {home}/users
pool_mode = {mode}
"""


@contextmanager
def pooled(url: str, mode: str) -> Generator[str]:
    """Yield the URL that leads to the database of `url` through a PgBouncer in pool mode `mode`, else by its defaults.

    Raises:
        ServerMissingError: the machine has no PgBouncer.
    """
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if not program:
        message = "pgbouncer is missing: install PgBouncer (apt-get install pgbouncer)"
        raise ServerMissingError(message)
    (home, user), port, parts = home_of("pgbouncer", "postgres"), free_port(), urlsplit(url)
    settings = _SETTINGS.format(host=parts.hostname, port=parts.port, listen_port=port, home=home, mode=mode)
    Path(home, "settings").write_text(settings, "utf-8")
    Path(home, "users").write_text(f'"{parts.username}" ""\n', "utf-8")
    process = launch([program, f"{home}/settings"], home, user)
    try:
        running(process, home, "PgBouncer", lambda: _listens(port))
        yield urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}", query="pgbouncer=true"))
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(home)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
