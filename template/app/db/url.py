"""Which database: DATABASE_URL, with the driver that this service has."""

from pydantic import SecretStr
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.core.errors import SettingsError
from app.core.peers import need_tls
from app.core.settings import Settings
from app.db import dialect


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
    if not need_tls(dialect.hosts(url), settings):
        return url
    try:
        return dialect.with_verified_tls(url)
    except ValueError as error:
        msg = (
            f"{variable}: {error}. Production verifies who the database is; name its host in PLAINTEXT_HOSTS if "
            "something else protects the connection."
        )
        raise SettingsError(msg) from None


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
