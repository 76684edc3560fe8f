"""Which database: DATABASE_URL, with the driver that this service has."""

from difflib import get_close_matches

from pydantic import SecretStr
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.core.errors import SettingsError
from app.core.peers import need_tls
from app.core.settings import Settings
from app.db import dialect, options


def _parse(variable: str, secret: SecretStr, settings: Settings) -> URL:
    try:
        url = make_url(secret.get_secret_value())
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in dialect.SCHEMES or not url.database or url.database == ":memory:":
        accepted = " or ".join(f"{scheme}://" for scheme in dialect.SCHEMES if "+" not in scheme)
        msg = (
            f"{variable} must be a {accepted} URL that names a database, since this service runs on {dialect.NAME}. "
            f"To start one: {dialect.HOW_TO_START}"
        )
        raise SettingsError(msg)
    url = url.set(drivername=dialect.DRIVER)
    _check_names(variable, url)
    if need_tls(dialect.hosts(url), settings):
        url = _with_verified_tls(variable, url)
    try:
        options.check(url)
    except ValueError as error:
        msg = f"{variable}: {error}."
        raise SettingsError(msg) from None
    return url


def _with_verified_tls(variable: str, url: URL) -> URL:
    try:
        return dialect.with_verified_tls(url)
    except ValueError as error:
        msg = (
            f"{variable}: {error}. Production verifies who the database is; name its host in PLAINTEXT_HOSTS if "
            "something else protects the connection."
        )
        raise SettingsError(msg) from None


def _check_names(variable: str, url: URL) -> None:
    known = options.known(url)
    for name, values in url.normalized_query.items():
        if name in known and len(values) > 1 and name not in options.REPEATABLE:
            msg = f"{variable}: {name} stands there {len(values)} times; say it once."
            raise SettingsError(msg)
        if name not in known:
            nearest = get_close_matches(name, known, 1, 0.75)
            hint = options.MEANT.get(name) or (f"did you mean {nearest[0]}?" if nearest else "remove it")
            msg = f"{variable}: {name} is not an option of {dialect.NAME} here; {hint}"
            raise SettingsError(msg if msg.endswith("?") else f"{msg}.")


def database_url(settings: Settings) -> URL:
    """Return the URL of the database that is written to.

    Raises:
        SettingsError: none is set where one is needed, it is for another kind of database, or it turns off what
            protects the connection.
    """
    if settings.database_url is not None:
        return _parse("DATABASE_URL", settings.database_url, settings)
    if dialect.DEFAULT_URL is None or settings.is_production:
        msg = f"DATABASE_URL is not set. This service runs on {dialect.NAME}; to start one: {dialect.HOW_TO_START}"
        raise SettingsError(msg)
    return make_url(dialect.DEFAULT_URL).set(drivername=dialect.DRIVER)


def database_read_url(settings: Settings) -> URL:
    """Return the URL of the database that is read from: a replica if DATABASE_READ_URL names one.

    Raises:
        SettingsError: as for `database_url`.
    """
    if settings.database_read_url is None:
        return database_url(settings)
    return _parse("DATABASE_READ_URL", settings.database_read_url, settings)


def database_migration_url(settings: Settings) -> URL:
    """Return the URL that migrations use: DATABASE_MIGRATION_URL if it is set, else the one that is written to.

    Raises:
        SettingsError: as for `database_url`; or it leads through a connection pooler, which keeps no session's lock.
    """
    variable, secret = "DATABASE_MIGRATION_URL", settings.database_migration_url
    url = _parse(variable, secret, settings) if secret is not None else database_url(settings)
    if options.has_pooler(url):
        msg = f"{variable} must lead to the database itself: migrations hold a lock, which a connection pooler loses."
        raise SettingsError(msg)
    return url
