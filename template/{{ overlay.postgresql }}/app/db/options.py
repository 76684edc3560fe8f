"""What may stand behind the question mark of a URL: libpq's parameters, and what this service has itself."""

import re

from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo, PGconn
from sqlalchemy import URL

_OWN = {"prepare_threshold", "pgbouncer"}
# Several servers, and several of the server's own options.
REPEATABLE = frozenset({"host", "hostaddr", "port", "options"})
# What is known elsewhere under another name, or has another place here.
MEANT = {
    "connection_limit": "DATABASE_POOL_SIZE sets how many connections there are",
    "schema": "options=-csearch_path=… sets the schema",
    "currentSchema": "options=-csearch_path=… sets the schema",
    "sslaccept": "sslmode says what is verified",
    "ssl": "sslmode says what is verified",
    "useSSL": "sslmode says what is verified",
    "statement_cache_size": "prepare_threshold=none turns prepared statements off",
}

# libpq looks at these when it connects.
_NUMBERS = ("connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count")
_NUMBER = re.compile(r"-?\d{1,9}")
_SERVER_OPTION = re.compile(r"(?:^|\s)-(?:c|-)")
# No socket is there: libpq refuses a wrong value before it looks for one. The address is empty, whatever PGHOSTADDR is.
_NOWHERE = {"host": "/nonexistent", "hostaddr": "", "user": "nobody"}
_ELSEWHERE = {"hostaddr", "port", "service", "servicefile", "conninfo"}


def known(url: URL) -> set[str]:  # noqa: ARG001 - as for all databases
    """Return the options that `url` may have."""
    return {each.keyword.decode() for each in Conninfo.get_defaults()} | _OWN


def check(url: URL) -> None:
    """Refuse values that the driver would refuse when it connects.

    Raises:
        ValueError: the message names the option.
    """
    query = {name: values[-1] for name, values in url.normalized_query.items()}
    for name in (*_NUMBERS, "tcp_user_timeout"):
        if name in query and not _NUMBER.fullmatch(query[name].strip()):
            message = f"{name} must be a number"
            raise ValueError(message)
    prepare_threshold(url)
    if has_pooler(url):
        _check_behind_pooler(query)
    of_libpq = {name: value for name, value in query.items() if name not in _OWN | _ELSEWHERE}
    told = make_conninfo(**{**of_libpq, **_NOWHERE})
    answer = PGconn.connect_start(told.encode()).error_message.decode(errors="replace").strip()
    if answer and not answer.startswith("connection to server"):
        raise ValueError(answer)


def _check_behind_pooler(query: dict[str, str]) -> None:
    if _SERVER_OPTION.search(query.get("options", "")):
        message = (
            "options cannot set anything behind a pooler (pgbouncer=true), which passes none of it on; "
            "set it for the user: ALTER ROLE … SET …"
        )
        raise ValueError(message)
    if "prepare_threshold" in query:
        message = "prepare_threshold has no use behind a pooler (pgbouncer=true): nothing is prepared there"
        raise ValueError(message)


def has_pooler(url: URL) -> bool:
    """Return whether `url` says that a connection pooler stands before the server (`pgbouncer=true`).

    Raises:
        ValueError: it says neither yes nor no.
    """
    said = str(url.query.get("pgbouncer", "false")).lower()
    if said not in {"true", "false"}:
        message = "pgbouncer must be true or false"
        raise ValueError(message)
    return said == "true"


def prepare_threshold(url: URL) -> int | None:
    """Return after how many times a statement is prepared (psycopg's default is 5); None for never.

    Raises:
        ValueError: it is no number.
    """
    said = str(url.query.get("prepare_threshold", "5")).lower()
    if said == "none":
        return None
    if not said.isascii() or not said.isdecimal():
        message = "prepare_threshold must be a number, or none, which turns prepared statements off"
        raise ValueError(message)
    return int(said)
