"""The servers that the tests need: a URL in the environment, else a throw-away server from binaries."""

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg
import pymysql
from filelock import FileLock

START_SECONDS = 60

# Below the system's own range (32768 by default), and for each process of a test run a part of its own.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = (12_000 + 1_000 * (_WORKER % 20) + each % 1_000 for each in itertools.count(os.getpid()))

# Servers go on after the test that started them; one that nothing refers to would be warned of.
_processes: "list[subprocess.Popen[bytes]]" = []


class ServerMissingError(Exception):
    """The machine has no such server; the message says how to get one."""


@dataclass(frozen=True)
class Running:
    """A server that this test run started; `home` holds its data and its log."""

    url: str
    pid: int
    home: str


def server_url(database: str, shared: Path) -> str:
    """Return the URL of a server for `database`, started once for all workers of this test run."""
    if url := os.environ.get(f"TEST_{database.upper()}_URL"):
        return url
    return started(database, shared, STARTERS[database]).url


def started(name: str, shared: Path, start: Callable[[], Running]) -> Running:
    """Return the server `name`, started once for all workers of this test run and stopped at its end."""
    state = shared / f"{name}.json"
    with FileLock(f"{state}.lock"):
        if not state.exists():
            state.write_text(json.dumps(asdict(start())), "utf-8")
        return Running(**json.loads(state.read_text("utf-8")))


def create_database(server: str) -> str:
    """Create an empty database on `server` and return its URL."""
    name = f"slipway_{uuid.uuid4().hex}"
    execute(server, f"CREATE DATABASE {name}")
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def stop_servers(shared: Path) -> None:
    """Stop every server that this test run started and remove its data."""
    for state in shared.glob("*.json"):
        server = Running(**json.loads(state.read_text("utf-8")))
        state.unlink()
        os.kill(server.pid, signal.SIGINT if server.url.startswith("postgres") else signal.SIGTERM)
        _wait_until(lambda pid=server.pid: not _alive(pid), "the server stops")
        shutil.rmtree(server.home)


def start_postgresql(*options_of_server: str) -> Running:
    """Start a server with further options; a file that one names has to be in a place that everybody may read."""
    hint = "install PostgreSQL (apt-get install postgresql) or set TEST_POSTGRESQL_URL"
    initdb = _program("initdb", "/usr/lib/postgresql/*/bin", hint)
    home, user = home_of("postgresql", "postgres")
    options = ["-D", f"{home}/data", "--auth", "trust", "--no-sync", "--username", "postgres", "--encoding", "UTF8"]
    launch([initdb, *options], home, user).wait(START_SECONDS)
    port = free_port()
    command = [str(Path(initdb).resolve().with_name("postgres")), "-D", f"{home}/data", "-p", str(port), "-k", home]
    command += ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300"]
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    return database_running(launch([*command, *options_of_server], home, user), home, url)


def start_mysql(*options_of_server: str) -> Running:
    """Start a server with further options, as `start_postgresql` does."""
    hint = "install MariaDB (apt-get install mariadb-server) or set TEST_MYSQL_URL"
    install = _program("mariadb-install-db", "/usr/bin", hint)
    mariadbd = _program("mariadbd", "/usr/sbin", hint)
    home, user = home_of("mariadb", "mysql")
    options = ["--no-defaults", f"--datadir={home}/data"]
    secure = ["--auth-root-authentication-method=normal", "--skip-test-db"]
    launch([install, *options, *secure], home, user).wait(START_SECONDS)
    port = free_port()
    command = [mariadbd, *options, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={home}/socket"]
    command += ["--innodb-flush-log-at-trx-commit=0", "--max-connections=300"]
    return database_running(
        launch([*command, *options_of_server], home, user), home, f"mysql://root@127.0.0.1:{port}/mysql"
    )


STARTERS: dict[str, Callable[[], Running]] = {"postgresql": start_postgresql, "mysql": start_mysql}


def _program(name: str, elsewhere: str, hint: str) -> str:
    found = shutil.which(name) or max(map(str, Path("/").glob(f"{elsewhere[1:]}/{name}")), default=None)
    if not found:
        message = f"{name} is missing: {hint}"
        raise ServerMissingError(message)
    return found


def home_of(server: str, user: str) -> tuple[str, str | None]:
    """Make a directory for the server; a server refuses to run as root, so root hands it to `user`."""
    home = tempfile.mkdtemp(prefix=f"slipway-{server}-")
    if os.geteuid() != 0:
        return home, None
    shutil.chown(home, user, user)
    return home, user


def launch(
    command: list[str], home: str, user: str | None, env: dict[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start a server that goes on when this process ends, and writes its log into `home`."""
    with Path(home, "log").open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=home,
            env=env,
            user=user,
            group=user,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def database_running(process: "subprocess.Popen[bytes]", home: str, url: str) -> Running:
    """Wait until the database server answers."""

    def answers() -> bool:
        try:
            execute(url, "SELECT 1")
        except (psycopg.OperationalError, pymysql.OperationalError):
            return False
        return True

    return running(process, home, url, answers)


def running(process: "subprocess.Popen[bytes]", home: str, url: str, answers: Callable[[], bool]) -> Running:
    """Return the server once it answers; if it ends, fail and show its log."""

    def answers_or_ended() -> bool:
        if process.poll() is not None:
            log = Path(home, "log").read_text("utf-8", errors="replace")
            message = f"{process.args} ended:\n{log[-4000:]}"
            raise RuntimeError(message)
        return answers()

    _wait_until(answers_or_ended, f"{url} answers")
    _processes.append(process)
    return Running(url, process.pid, home)


def execute(url: str, statement: str) -> None:
    run = _execute_postgresql if url.startswith("postgres") else _execute_mysql
    run(url, statement)


def _execute_postgresql(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(statement.encode())


def _execute_mysql(url: str, statement: str) -> None:
    parts = urlsplit(url)
    connection = pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)


def free_port() -> int:
    """Return a TCP port of this machine that nothing listens on, another one each time.

    The system gives none of these to outgoing connections, which could take it before the server that it is for.
    """
    for port in _ports:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("the ports never end")


def _alive(pid: int) -> bool:
    """Tell whether the process runs; a zombie, whose parent has not looked yet, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            message = f"waited {START_SECONDS} s until {what}"
            raise TimeoutError(message)
        time.sleep(0.1)
