"""A database for one run of the tests, on the server of DATABASE_URL, whose own data are never touched."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from app.core.errors import SettingsError
from app.core.settings import Settings, load_settings
from app.db.url import database_url


@contextmanager
def fresh_database(_folder: Path) -> Generator[str]:
    """Yield the URL of a new, empty database; it is dropped afterwards."""
    try:
        server = database_url(load_settings())
    except SettingsError as error:
        pytest.exit(f"The tests need a database server. {error}", returncode=2)
    name = f"test_{uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except DBAPIError as error:
        message = "The tests need the database server of DATABASE_URL, and to create databases there"
        pytest.exit(f"{message}: {error.orig}", returncode=2)
    yield server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def without_database(settings: Settings) -> Settings:
    """Return `settings` for a database that cannot be reached."""
    # Nothing listens on port 1.
    away = database_url(settings).set(drivername="postgresql", host="127.0.0.1", port=1)
    url = away.render_as_string(hide_password=False)
    return settings.model_copy(update={"database_url": SecretStr(url)})
