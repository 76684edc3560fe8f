"""All that is particular to PostgreSQL."""

import math
import ssl
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import certifi
from psycopg.errors import LockNotAvailable
from sqlalchemy import URL, Connection, DateTime, Dialect, Engine, String, event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.core.settings import Settings
from app.db import options as url_options
from app.db.connection import BoundedConnection
from app.db.roles import Role

NAME = "PostgreSQL"
SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
DRIVER = "postgresql+psycopg"
DEFAULT_URL: str | None = None
HOW_TO_START = (
    "docker run --detach --publish 5432:5432 --env POSTGRES_PASSWORD=dev --env POSTGRES_DB=app postgres:17, "
    "then DATABASE_URL=postgresql://postgres:dev@localhost:5432/app"
)

TIMESTAMP = DateTime(timezone=True)
# Where null stands in an order that does not say it.
NULL_IS_LEAST = False
WRITE_OPTIONS: dict[str, Any] = {}
POOL_OPTIONS: dict[str, Any] = {}
# The dialect whose SQL migrations are judged in.
JUDGED_AS = "postgresql"
# Whether a transaction undoes changes of tables, too.
ROLLS_BACK_DDL = True
# What is left of a migration that did not get its lock.
LEFT_WITHOUT_LOCK = "The revisions before it are done."
HOLDER_UNKNOWN = "The database does not tell this user who holds it."

_READ_ONLY = "25006"  # read_only_sql_transaction: a replica, or one that has become one
_TIMEOUTS = {"57014", "55P03"}  # query_canceled, lock_not_available
_MISSING = {"42P01", "42703"}  # undefined_table, undefined_column
_RETRYABLE = {"40001", "40P01"}  # serialization_failure, deadlock_detected
# Who signs for servers: SSL_CERT_FILE, the system's, or else Mozilla's.
_AUTHORITIES = ssl.get_default_verify_paths().cafile or certifi.where()
# The second ends a transaction whose client was lost without a word, and which would hold its locks for hours.
_LIMITS = ("statement_timeout", "idle_in_transaction_session_timeout")
_MIGRATION_LOCK = 4_793_210_650_123_001
# How often those who wait ask whether it is their turn.
_TURN_SECONDS = 0.2
# Of what a statement names; who is there for longest stands first.
_HOLDERS = text("""
    SELECT a.pid AS process, max(a.usename) AS "user", max(a.application_name) AS application,
        max(host(a.client_addr)) AS "at", max(a.state) AS state,
        max(extract(epoch FROM clock_timestamp() - a.xact_start)::int) AS seconds
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.granted AND a.pid <> pg_backend_pid() AND a.datname = current_database()
        AND position(c.relname IN :statement) > 0
    GROUP BY a.pid ORDER BY seconds DESC NULLS LAST LIMIT 3
""")


def exact_text(length: int) -> String:
    """Return the type of text that compares byte by byte; UTF-8 keeps the order of code points."""
    return String(length, collation="C")


def hosts(url: URL) -> list[str]:
    """Return the machines that `url` leads to; an empty one where something else says which."""
    named = [each for part in ("host", "hostaddr") for each in url.normalized_query.get(part, ())]
    several = [host.removesuffix(f":{_port(host)}") for each in named for host in each.split(",")]
    elsewhere = ["" for name in ("service", "servicefile") if name in url.query]
    return [*([url.host] if url.host else []), *several, *elsewhere] or [""]


def _port(host: str) -> str:
    # An IPv6 address has more than one colon.
    return host.rpartition(":")[2] if host.count(":") == 1 or "]:" in host else ""


def with_verified_tls(url: URL) -> URL:
    """Return `url` with TLS that verifies who the server is (libpq's `sslmode`).

    Raises:
        ValueError: it asks for less.
    """
    mode, root = url.query.get("sslmode", "verify-full"), url.query.get("sslrootcert")
    # Where the authority is the operator's own, whom it has signed is one of theirs.
    if mode != "verify-full" and not (mode == "verify-ca" and root not in {None, "system"}):
        message = "sslmode must be verify-full, or verify-ca with the sslrootcert of your own authority"
        raise ValueError(message)
    return url.update_query_dict({"sslmode": mode, "sslrootcert": root or _AUTHORITIES})


def connect_arguments(url: URL, role: Role, timeout_seconds: float) -> dict[str, Any]:
    """Return what the driver is told, so that nothing runs or waits longer than `timeout_seconds`.

    What `url` says itself stays: the server takes the last of several options.
    """
    milliseconds = _milliseconds(timeout_seconds)
    limits = [f"-c {name}={milliseconds}" for name in _LIMITS if role != "migrate"]
    own: dict[str, Any] = {
        "connect_timeout": min(5, math.ceil(timeout_seconds)),
        # What the network does not deliver is noticed before a request has used up its time.
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": min(5000, milliseconds),
    }
    own = {name: value for name, value in own.items() if name not in url.query}
    if url_options.has_pooler(url):
        # A statement that is prepared would stay behind on a connection that the next transaction may not get.
        return {**own, "prepare_threshold": None, "autocommit": True}
    own["prepare_threshold"] = url_options.prepare_threshold(url)
    return {**own, "options": " ".join([*limits, "-c timezone=UTC", *url.normalized_query.get("options", ())])}


def _milliseconds(timeout_seconds: float) -> int:
    return max(1, int(timeout_seconds * 1000))


def prepare(engine: Engine, role: Role, settings: Settings) -> None:
    """Do what `engine` needs beyond its options: connections that do not wait for a server that is gone.

    A pooler passes on what stands in a transaction, and little else: there each unit of work is one, also one that
    only reads, and sets its limit itself. All of it is one statement, so to begin costs no more than `BEGIN` does.
    """

    @event.listens_for(engine, "do_connect")
    def connect(
        _dialect: Dialect, _record: ConnectionPoolEntry | None, arguments: list[str], options: dict[str, Any]
    ) -> BoundedConnection:
        options.pop("pgbouncer", None)
        connection = BoundedConnection.connect(*arguments, **options)
        connection.seconds = settings.request_timeout_seconds if role != "migrate" else None
        return connection

    if role == "migrate":
        brief = f"SET LOCAL lock_timeout = {_milliseconds(settings.migration_lock_timeout_seconds)}"

        @event.listens_for(engine, "begin")
        def wait_briefly(connection: Connection) -> None:
            connection.exec_driver_sql(brief)

    if url_options.has_pooler(engine.url):
        milliseconds = _milliseconds(settings.request_timeout_seconds)
        limits = (f"SET LOCAL {name} = {milliseconds}; " for name in _LIMITS)
        begin = f"BEGIN; {''.join(limits)}SET LOCAL timezone = 'UTC'"

        @event.listens_for(engine, "begin")
        def begin_with_limits(connection: Connection) -> None:
            connection.exec_driver_sql(begin)


def is_writable(session: Session) -> bool:
    """Return whether the server takes changes: a replica, for example, does not."""
    return session.scalar(text("SHOW transaction_read_only")) == "off"


def is_read_only(error: DBAPIError) -> bool:
    """Return whether a change was refused because the server, or this connection to it, takes none."""
    return getattr(error.orig, "sqlstate", None) == _READ_ONLY


def is_timeout(error: DBAPIError) -> bool:
    """Return whether the database gave up on a statement because it took or waited too long."""
    return getattr(error.orig, "sqlstate", None) in _TIMEOUTS


def is_unavailable(error: DBAPIError) -> bool:
    """Return whether the database is away, rather than asked for something that it does not have."""
    return isinstance(error, OperationalError | InterfaceError)


def is_unmigrated(error: DBAPIError) -> bool:
    """Return whether a statement named a table or a column that is not there."""
    return getattr(error.orig, "sqlstate", None) in _MISSING


def is_retryable(error: DBAPIError) -> bool:
    """Return whether the same transaction may succeed when run again (a deadlock, a serialization failure)."""
    return getattr(error.orig, "sqlstate", None) in _RETRYABLE


def is_lock_timeout(error: BaseException) -> bool:
    """Return whether the driver's `error` says that a lock was not free in time."""
    return isinstance(error, LockNotAvailable)


def lock_holders(connection: Connection, statement: str) -> list[dict[str, object]]:
    """Return which sessions hold locks of what `statement` names: some facts about each."""
    return [dict(row) for row in connection.execute(_HOLDERS, {"statement": statement}).mappings()]


def violated(error: DBAPIError) -> str | None:
    """Return the name of the constraint that a change broke; None for NOT NULL and all other failures."""
    return getattr(getattr(error.orig, "diag", None), "constraint_name", None)


@contextmanager
def migration_lock(connection: Connection) -> Generator[None]:
    """Let one process at a time migrate; others wait."""
    connection.execute(text("SET statement_timeout = 0"))
    # Whoever waited in a statement would hold a snapshot, which CREATE INDEX CONCURRENTLY of the other waits for.
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _MIGRATION_LOCK}):
        connection.commit()
        time.sleep(_TURN_SECONDS)
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})
        connection.commit()
