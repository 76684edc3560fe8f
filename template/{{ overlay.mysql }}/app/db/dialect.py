"""All that is particular to MySQL and MariaDB."""

import ssl
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import certifi
from sqlalchemy import URL, Connection, Engine, text
from sqlalchemy.dialects.mysql import DATETIME, VARBINARY
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from app.db.roles import Role

NAME = "MySQL or MariaDB"
SCHEMES = ("mysql", "mariadb", "mysql+pymysql")
DRIVER = "mysql+pymysql"
DEFAULT_URL: str | None = None
HOW_TO_START = (
    "docker run --detach --publish 3306:3306 --env MARIADB_ROOT_PASSWORD=dev --env MARIADB_DATABASE=app mariadb:11, "
    "then DATABASE_URL=mysql://root:dev@127.0.0.1:3306/app"
)

# Without fsp the server drops microseconds, and cursors over time with them.
TIMESTAMP = DATETIME(fsp=6)
EXACT_TEXT_IS_BINARY = True
# Under the default, REPEATABLE READ, gap locks make concurrent inserts deadlock.
WRITE_OPTIONS = {"isolation_level": "READ COMMITTED"}

# Who signs for servers: SSL_CERT_FILE, the system's, or else Mozilla's.
_AUTHORITIES = ssl.get_default_verify_paths().cafile or certifi.where()
_TIMEOUTS = {1205, 1969, 3024}  # lock wait, MariaDB's and MySQL's statement time
_RETRYABLE = {1020, 1213}  # record changed since last read, deadlock
# Too many connections, handshake, access denied, shutdown, host blocked or unknown, network, read-only server.
_UNAVAILABLE = {1040, 1042, 1043, 1045, 1053, 1129, 1130, 1158, 1159, 1160, 1161, 1203, 1226, 1290, 1836}
_OF_THE_CLIENT = range(2000, 3000)


def exact_text(length: int) -> VARBINARY:
    """Return the type of text that compares byte by byte: every collation folds or pads something."""
    return VARBINARY(4 * length)


def hosts(url: URL) -> list[str]:
    """Return the machine that `url` leads to; an empty one where it leaves that to a file of options."""
    if "unix_socket" in url.query:
        return [str(url.query["unix_socket"])]
    elsewhere = ["" for name in ("read_default_file", "read_default_group") if name in url.query]
    # What stands in the query wins over what stands before it.
    return [url.host or "localhost", *url.normalized_query.get("host", ()), *elsewhere]


def with_verified_tls(url: URL) -> URL:
    """Return `url` with TLS that verifies who the server is.

    Raises:
        ValueError: it asks for less.
    """
    own = {"ssl_ca", "ssl_capath"} & url.query.keys()
    weak = {"ssl", "ssl_disabled", "ssl_mode", "ssl_verify_cert", "ssl_verify_identity"} & url.query.keys()
    # Where the authority is the operator's own, whom it has signed is one of theirs.
    if weak or ("ssl_check_hostname" in url.query and not own):
        allowed = "ssl_ca, ssl_capath, ssl_cert, ssl_key, ssl_cipher and, with an ssl_ca, ssl_check_hostname"
        raise ValueError(f"of the options for TLS it may have {allowed}")
    return url if own else url.update_query_dict({"ssl_ca": _AUTHORITIES})


def engine_options(timeout_seconds: float) -> dict[str, Any]:
    """Return what `create_engine` needs, so that no statement runs or waits longer than `timeout_seconds`."""
    seconds = max(1, round(timeout_seconds))
    # MySQL and MariaDB name the limit differently; each skips the other's comment. Only MariaDB's covers writes.
    limits = (
        f"innodb_lock_wait_timeout = {seconds} "
        f"/*!80000 , SESSION max_execution_time = {seconds * 1000} */ "
        f"/*M!100101 , SESSION max_statement_time = {timeout_seconds} */"
    )
    return {
        "connect_args": {
            "charset": "utf8mb4",
            "connect_timeout": 5,
            "init_command": f"SET time_zone = '+00:00', {limits}",
        },
        # The server closes a connection that was idle for eight hours.
        "pool_recycle": 1800,
    }


def prepare(engine: Engine, role: Role) -> None:
    """Do what `engine` needs beyond its options: nothing here."""


def is_timeout(error: DBAPIError) -> bool:
    """Return whether the database gave up on a statement because it took or waited too long."""
    return _number(error) in _TIMEOUTS


def is_unavailable(error: DBAPIError) -> bool:
    """Return whether the database is away, rather than asked for something that it does not have."""
    # PyMySQL calls an unknown column an operational error, too.
    number = _number(error)
    return isinstance(error, InterfaceError) or (
        isinstance(error, OperationalError)
        and (number is None or number in _OF_THE_CLIENT or number in _UNAVAILABLE | _RETRYABLE)
    )


def is_retryable(error: DBAPIError) -> bool:
    """Return whether the same transaction may succeed when run again (a deadlock)."""
    return _number(error) in _RETRYABLE


def _number(error: DBAPIError) -> int | None:
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def in_memory(connection: Connection) -> Engine | None:  # noqa: ARG001 - as for databases that are a file
    """Return nothing: a server's database is too much to copy, and its SQL can be written without it."""
    return None


@contextmanager
def migration_lock(connection: Connection) -> Generator[None]:
    """Let one process at a time migrate; others wait."""
    key = {"name": f"migrations of {connection.engine.url.database}"[:64]}
    # Waiting for another replica's migration is not a statement that runs away.
    connection.execute(text("SET SESSION /*!80000 max_execution_time = 0 */ /*M!100101 max_statement_time = 0 */"))
    connection.execute(text("SELECT GET_LOCK(:name, 3600)"), key)
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), key)
        connection.commit()
