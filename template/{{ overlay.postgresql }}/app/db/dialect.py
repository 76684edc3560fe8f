"""All that is particular to PostgreSQL."""

import ssl
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import certifi
from sqlalchemy import URL, Connection, DateTime, Engine, String, text
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
# Who signs for servers: SSL_CERT_FILE, the system's, or else Mozilla's.
_AUTHORITIES = ssl.get_default_verify_paths().cafile or certifi.where()
_MIGRATION_LOCK = 4_793_210_650_123_001


def exact_text(length: int) -> String:
    """Return the type of text that compares byte by byte; UTF-8 keeps the order of code points."""
    return String(length, collation="C")


def hosts(url: URL) -> list[str]:
    """Return the machines that `url` leads to; an empty one where something else says which."""
    named = [each for part in ("host", "hostaddr") for each in url.normalized_query.get(part, ())]
    several = [host.removesuffix(f":{_port(host)}") for each in named for host in each.split(",")]
    elsewhere = ["" for name in ("service", "servicefile", "conninfo") if name in url.query]
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
