"""All that is particular to SQLite."""

import math
import re
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, String, event
from sqlalchemy.dialects.sqlite import DATETIME
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.core import context
from app.core.errors import RequestTimeout
from app.core.settings import Settings
from app.db import violations
from app.db.roles import Role

NAME = "SQLite"
SCHEMES = ("sqlite", "sqlite+pysqlite")
DRIVER = "sqlite+pysqlite"
DEFAULT_URL: str | None = "sqlite:///app.db"
HOW_TO_START = "DATABASE_URL=sqlite:////var/lib/app/app.db (four slashes: an absolute path)"

TIMESTAMP = DATETIME()
# Where null stands in an order that does not say it.
NULL_IS_LEAST = True
WRITE_OPTIONS: dict[str, Any] = {}
POOL_OPTIONS: dict[str, Any] = {}
# The dialect whose SQL migrations are judged in: SQLite's cannot be written without the database.
JUDGED_AS = "postgresql"
# Whether a transaction undoes changes of tables, too.
ROLLS_BACK_DDL = True
# What is left of a migration that did not get its lock.
LEFT_WITHOUT_LOCK = "Nothing was changed."
HOLDER_UNKNOWN = "Another process writes to the file; SQLite does not tell which."

_TIMEOUTS = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT}
_MISSING = re.compile(r"^no such (table|column)\b|has no column named")
_STEPS_BETWEEN_DEADLINE_CHECKS = 10_000


def exact_text(length: int) -> String:
    """Return the type of text that compares byte by byte; UTF-8 keeps the order of code points."""
    return String(length, collation="BINARY")


def hosts(url: URL) -> list[str]:  # noqa: ARG001 - as for databases that are a server
    """Return none: the database is a file."""
    return []


def with_verified_tls(url: URL) -> URL:
    """Return `url`: a file is not connected to."""
    return url


def connect_arguments(url: URL, role: Role, timeout_seconds: float) -> dict[str, Any]:  # noqa: ARG001 - as for servers
    """Return what the driver is told, so that no statement waits for a lock longer than `timeout_seconds`."""
    return {"timeout": timeout_seconds} if "timeout" not in url.query else {}


def _is_late() -> int:
    try:
        context.check_deadline()
    except RequestTimeout:
        return 1
    return 0


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Let readers and the writer not wait for each other; the mode is the file's, so one connection sets it for all."""
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        # While somebody writes to a new file, SQLite refuses without waiting. The next connection succeeds.
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise


def prepare(engine: Engine, role: Role, settings: Settings) -> None:
    """Do what `engine` needs beyond its options: pragmas, deadlines, and transactions that lock when they begin."""

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        if role == "migrate":
            connection.execute(f"PRAGMA busy_timeout = {math.ceil(settings.migration_lock_timeout_seconds * 1000)}")
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        # A migration that rebuilds a table would cascade into its children.
        connection.execute(f"PRAGMA foreign_keys = {'OFF' if role == 'migrate' else 'ON'}")
        connection.set_progress_handler(_is_late, _STEPS_BETWEEN_DEADLINE_CHECKS)

    event.listen(engine, "handle_error", violations.note)
    if role != "read":
        # A transaction that reads first and locks later fails at once when another one wrote in between.
        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")


def is_writable(session: Session) -> bool:  # noqa: ARG001 - as for servers
    """Return whether changes are taken: to ask, a file would have to be locked."""
    return True


def is_read_only(error: DBAPIError) -> bool:
    """Return whether a change was refused because the file may not be written to."""
    return (getattr(error.orig, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_READONLY


def is_timeout(error: DBAPIError) -> bool:
    """Return whether the database gave up on a statement because it took or waited too long."""
    return (getattr(error.orig, "sqlite_errorcode", 0) & 0xFF) in _TIMEOUTS


def is_unavailable(error: DBAPIError) -> bool:
    """Return whether the database is away, rather than asked for something that it does not have."""
    # SQLite calls nearly everything an operational error; the code of mistakes in SQL is the general one.
    return isinstance(error, OperationalError) and getattr(error.orig, "sqlite_errorcode", 0) != sqlite3.SQLITE_ERROR


def is_unmigrated(error: DBAPIError) -> bool:
    """Return whether a statement named a table or a column that is not there."""
    return _MISSING.search(str(error.orig)) is not None


def is_retryable(error: DBAPIError) -> bool:  # noqa: ARG001 - one writer at a time: nothing to run again
    """Return whether the same transaction may succeed when run again."""
    return False


def is_lock_timeout(error: BaseException) -> bool:
    """Return whether the driver's `error` says that the file was not free in time."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def lock_holders(connection: Connection, statement: str) -> list[dict[str, object]]:  # noqa: ARG001 - as for servers
    """Return none: SQLite does not know who locks the file."""
    return []


def violated(error: DBAPIError) -> str | None:
    """Return the name of the constraint that a change broke; None for NOT NULL and all other failures.

    SQLite names neither a foreign key nor what is unique: `app/db/violations.py` tells what it cannot find out.
    """
    return getattr(error.orig, violations.NAME, None)


@contextmanager
def migration_lock(connection: Connection) -> Generator[None]:
    """Let one process at a time migrate; others wait."""
    with connection.begin():
        yield
