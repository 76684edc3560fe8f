"""All that is particular to PostgreSQL."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, DateTime, Engine, String, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

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
EXACT_TEXT_IS_BINARY = False
WRITE_OPTIONS: dict[str, Any] = {}

_TIMEOUTS = {"57014", "55P03"}  # query_canceled, lock_not_available
_RETRYABLE = {"40001", "40P01"}  # serialization_failure, deadlock_detected
_MIGRATION_LOCK = 4_793_210_650_123_001


def exact_text(length: int) -> String:
    """Return the type of text that compares byte by byte; UTF-8 keeps the order of code points."""
    return String(length, collation="C")


def engine_options(timeout_seconds: float) -> dict[str, Any]:
    """Return what `create_engine` needs, so that no statement runs or waits longer than `timeout_seconds`."""
    milliseconds = max(1, int(timeout_seconds * 1000))
    return {
        "connect_args": {
            "connect_timeout": 5,
            "options": f"-c statement_timeout={milliseconds} -c timezone=UTC",
        }
    }


def prepare(engine: Engine, role: Role) -> None:
    """Do what `engine` needs beyond its options: nothing here."""


def is_timeout(error: DBAPIError) -> bool:
    """Return whether the database gave up on a statement because it took or waited too long."""
    return getattr(error.orig, "sqlstate", None) in _TIMEOUTS


def is_unavailable(error: DBAPIError) -> bool:
    """Return whether the database is away, rather than asked for something that it does not have."""
    return isinstance(error, OperationalError | InterfaceError)


def is_retryable(error: DBAPIError) -> bool:
    """Return whether the same transaction may succeed when run again (a deadlock, a serialization failure)."""
    return getattr(error.orig, "sqlstate", None) in _RETRYABLE


def in_memory(connection: Connection) -> Engine | None:  # noqa: ARG001 - as for databases that are a file
    """Return nothing: a server's database is too much to copy, and its SQL can be written without it."""
    return None


@contextmanager
def migration_lock(connection: Connection) -> Generator[None]:
    """Let one process at a time migrate; others wait."""
    # Waiting for another replica's migration is not a statement that runs away.
    connection.execute(text("SET statement_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})
        connection.commit()
