"""What may stand behind the question mark of a URL: what PyMySQL and SQLAlchemy take as text."""

import re

from sqlalchemy import URL

_TEXTS = {"charset", "collation", "sql_mode", "init_command", "program_name", "bind_address", "server_public_key"}
_PLACES = {"host", "user", "password", "unix_socket", "read_default_file", "read_default_group"}
_TIMEOUTS = {"connect_timeout", "read_timeout", "write_timeout"}
_NUMBERS = {*_TIMEOUTS, "client_flag", "max_allowed_packet"}
_LONGEST_SECONDS = 31_536_000
_SWITCHES = {"use_unicode", "local_infile", "ssl_check_hostname"}
# PyMySQL takes any text for a yes.
_OWN_SWITCHES = {"ssl_disabled", "ssl_verify_cert", "ssl_verify_identity"}
_TLS = {"ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_key_password", "ssl_cipher"}
REPEATABLE: frozenset[str] = frozenset()
# What is known elsewhere under another name, or has another place here.
MEANT = {
    "connection_limit": "DATABASE_POOL_SIZE sets how many connections there are",
    "sslaccept": "ssl_ca names the authority that is believed",
    "sslmode": "ssl_ca names the authority that is believed",
    "ssl_mode": "ssl_ca names the authority that is believed",
    "ssl-mode": "ssl_ca names the authority that is believed",
    "ssl": "ssl_ca names the authority that is believed",
    "useSSL": "ssl_ca names the authority that is believed",
    "serverTimezone": "sessions are in UTC",
}
_NUMBER = re.compile(r"\d{1,10}")


def known(url: URL) -> set[str]:  # noqa: ARG001 - as for all databases
    """Return the options that `url` may have."""
    return _TEXTS | _PLACES | _NUMBERS | _SWITCHES | _OWN_SWITCHES | _TLS


def check(url: URL) -> None:
    """Refuse values that the driver would refuse when it connects.

    Raises:
        ValueError: the message names the option.
    """
    for name, values in url.normalized_query.items():
        if name in _NUMBERS and not _NUMBER.fullmatch(values[-1]):
            message = f"{name} must be a number"
            raise ValueError(message)
        if name in _TIMEOUTS and not 0 < int(values[-1]) <= _LONGEST_SECONDS:
            message = f"{name} must be from 1 to {_LONGEST_SECONDS} seconds"
            raise ValueError(message)
        if name in _SWITCHES | _OWN_SWITCHES and values[-1].lower() not in {"true", "false", "1", "0"}:
            message = f"{name} must be true or false"
            raise ValueError(message)


def converted(url: URL) -> dict[str, object]:
    """Return those options that PyMySQL would take for something else, since they are texts."""
    query = {name: values[-1].lower() for name, values in url.normalized_query.items()}
    switches = {name: query[name] in {"true", "1"} for name in _OWN_SWITCHES & query.keys()}
    numbers = {name: int(query[name]) for name in {"max_allowed_packet"} & query.keys()}
    return {**switches, **numbers}


def has_pooler(url: URL) -> bool:  # noqa: ARG001 - as for databases that have one
    """Return whether a connection pooler stands before the database that cannot keep what a session has set."""
    return False
