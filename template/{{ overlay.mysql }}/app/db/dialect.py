"""All that is particular to MySQL and MariaDB."""

import math
import re
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import certifi
import pymysql
from sqlalchemy import URL, Connection, Dialect, Engine, Table, TypeDecorator, event, text
from sqlalchemy.dialects.mysql import DATETIME, VARBINARY
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.core.settings import Settings
from app.db import options as url_options
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
# Where null stands in an order that does not say it.
NULL_IS_LEAST = True
# Under the default, REPEATABLE READ, gap locks make concurrent inserts deadlock.
WRITE_OPTIONS: dict[str, Any] = {"isolation_level": "READ COMMITTED"}
# The server closes a connection that was idle for eight hours.
POOL_OPTIONS: dict[str, Any] = {"pool_recycle": 1800}
# The dialect whose SQL migrations are judged in.
JUDGED_AS = "mysql"
# Whether a transaction undoes changes of tables, too.
ROLLS_BACK_DDL = False
# What is left of a migration that did not get its lock.
LEFT_WITHOUT_LOCK = "What comes before that statement is done."
HOLDER_UNKNOWN = "The database tells a user with the privilege PROCESS who holds it."

# Who signs for servers: SSL_CERT_FILE, the system's, or else Mozilla's.
_AUTHORITIES = ssl.get_default_verify_paths().cafile or certifi.where()
# Several options forbid statements with 1290; the others are a table's, a transaction's, the server's, InnoDB's.
_FORBIDDEN = 1290
_READ_ONLY = {1036, _FORBIDDEN, 1792, 1836, 1874}
_LOCK_WAIT = 1205
_TIMEOUTS = {_LOCK_WAIT, 1969, 3024}  # and MariaDB's and MySQL's statement time
_MISSING = {1054, 1146}  # unknown column, no such table
_RETRYABLE = {1020, 1213}  # record changed since last read, deadlock
_NO_SUCH = 1305
# Too many connections, handshake, access denied, shutdown, host blocked or unknown, network.
_UNAVAILABLE = {1040, 1042, 1043, 1045, 1053, 1129, 1130, 1158, 1159, 1160, 1161, 1203, 1226}
_GRACE_SECONDS = 1.0
_OF_THE_CLIENT = range(2000, 3000)
# What is there for longest stands first. A transaction that only reads holds a lock of its tables, too.
_HOLDERS = text("""
    SELECT p.id AS connection, p.user AS user, p.host AS at, p.command AS state,
        TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) AS seconds
    FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
    WHERE p.id <> CONNECTION_ID() AND p.db = DATABASE() ORDER BY t.trx_started LIMIT 3
""")
# What a client sent stands in front of the key's name, so that is looked for at the end.
_DUPLICATE = re.compile(r" for key '(?:[^'.]+\.)?([^'.]+)'$")
_FOREIGN_KEY = re.compile(r"CONSTRAINT `([^`]+)` FOREIGN KEY")
_VIOLATIONS = {
    1062: _DUPLICATE,
    1451: _FOREIGN_KEY,
    1452: _FOREIGN_KEY,
    3819: re.compile(r"Check constraint '([^']+)' is violated"),
    4025: re.compile(r"CONSTRAINT `([^`]+)` failed for"),
}
# The primary key of each table has the same name there; `app/db/models/base.py` names it after the table.
_TABLE = re.compile(r"(?:INSERT INTO|UPDATE) `?(\w+)")


class _Bytes(TypeDecorator[str]):
    impl = VARBINARY
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        return None if value is None else value.encode()

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else value.decode()


def exact_text(length: int) -> TypeDecorator[str]:
    """Return the type of text that compares byte by byte: every collation folds or pads something."""
    return _Bytes(4 * length)


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


def connect_arguments(url: URL, role: Role, timeout_seconds: float) -> dict[str, Any]:
    """Return what the driver is told, so that it waits for an answer no longer than `timeout_seconds`.

    What `url` says itself stays.
    """
    own: dict[str, Any] = {"charset": "utf8mb4", "connect_timeout": min(5.0, timeout_seconds)}
    if role != "migrate":
        # In the grace the server can say itself that a statement took too long, which leaves the connection as it was.
        own |= dict.fromkeys(("read_timeout", "write_timeout"), timeout_seconds + _GRACE_SECONDS)
    return {name: value for name, value in own.items() if name not in url.query} | url_options.converted(url)


def prepare(engine: Engine, role: Role, settings: Settings) -> None:
    """Do what `engine` needs beyond its options: limits of time that the server keeps itself."""
    timeout_seconds = settings.request_timeout_seconds
    seconds = max(1, round(timeout_seconds))
    # MySQL and MariaDB name the limit differently; each skips the other's comment. Only MariaDB's covers writes. Only
    # MariaDB ends a transaction whose client was lost without a word, and which would hold its locks for hours.
    limits = (
        f", innodb_lock_wait_timeout = {seconds} "
        f"/*!80000 , SESSION max_execution_time = {seconds * 1000} */ "
        f"/*M!100101 , SESSION max_statement_time = {timeout_seconds} */"
        f"/*M!100300 , SESSION idle_transaction_timeout = {seconds} */"
    )
    if role == "migrate":
        # The first is for tables, the second for rows.
        briefly = math.ceil(settings.migration_lock_timeout_seconds)
        limits = f", lock_wait_timeout = {briefly}, innodb_lock_wait_timeout = {briefly}"

    @event.listens_for(engine, "connect")
    def configure(connection: pymysql.Connection, _record: ConnectionPoolEntry) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET time_zone = '+00:00'{limits}")


@event.listens_for(Table, "before_create")
def hold_any_text(table: Table, *_: object, **__: object) -> None:
    """Create a table with UTF-8, whatever the default of its database is, unless it names a character set itself."""
    if "charset" not in table.dialect_options["mysql"]:
        table.dialect_options["mysql"]["charset"] = "utf8mb4"


def is_writable(session: Session) -> bool:
    """Return whether the server takes changes: a replica, for example, does not."""
    # MariaDB 12 has more states than two, and says them in words.
    return str(session.scalar(text("SELECT @@global.read_only"))).upper() in {"0", "OFF"}


def is_read_only(error: DBAPIError) -> bool:
    """Return whether a change was refused because the server, or this connection to it, takes none."""
    number = _number(error)
    return number in _READ_ONLY and (number != _FORBIDDEN or "read" in str(error.orig).lower())


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


def is_unmigrated(error: DBAPIError) -> bool:
    """Return whether a statement named a table or a column that is not there."""
    return _number(error) in _MISSING


def is_retryable(error: DBAPIError) -> bool:
    """Return whether the same transaction may succeed when run again (a deadlock).

    A deadlock ends the savepoints, too: who goes back to one is told that there is none, and not why.
    """
    number = _number(error)
    return number in _RETRYABLE or (number == _NO_SUCH and "SAVEPOINT" in str(error.orig).upper())


def is_lock_timeout(error: BaseException) -> bool:
    """Return whether the driver's `error` says that a lock was not free in time."""
    return isinstance(error, pymysql.OperationalError) and error.args[:1] == (_LOCK_WAIT,)


def lock_holders(connection: Connection, statement: str) -> list[dict[str, object]]:  # noqa: ARG001 - as for others
    """Return which sessions may hold locks of what `statement` names: some facts about each."""
    return [dict(row) for row in connection.execute(_HOLDERS).mappings()]


def violated(error: DBAPIError) -> str | None:
    """Return the name of the constraint that a change broke; None for NOT NULL and all other failures.

    The server does not name a foreign key to a user who may not read both of its tables.
    """
    form = _VIOLATIONS.get(_number(error) or 0)
    found = form and form.search(str(error.orig.args[1]) if error.orig else "")
    if not found:
        return None
    table = _TABLE.match(error.statement or "")
    return f"pk_{table[1]}" if found[1] == "PRIMARY" and table else found[1]


def _number(error: DBAPIError) -> int | None:
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


@contextmanager
def migration_lock(connection: Connection) -> Generator[None]:
    """Let one process at a time migrate; others wait."""
    key = {"name": f"migrations of {connection.engine.url.database}"[:64]}
    # Waiting for another replica's migration is not a statement that runs away.
    connection.execute(text("SET SESSION /*!80000 max_execution_time = 0 */ /*M!100101 max_statement_time = 0 */"))
    while connection.scalar(text("SELECT GET_LOCK(:name, 3600)"), key) != 1:
        pass
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), key)
        connection.commit()
