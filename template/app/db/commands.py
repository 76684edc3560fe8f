"""The database, for the commands of the command line that need one."""

from collections.abc import Generator
from contextlib import contextmanager

from app.core.settings import get_settings
from app.db.database import Database
from app.observability.logging import configure_logging


@contextmanager
def opened_database() -> Generator[Database]:
    """The database that the environment names; the log goes to standard error, since the output is the command's own.

    Raises:
        SettingsError: the settings do not say what is needed to open it.
    """
    settings = get_settings()
    configure_logging(settings.log_level, settings.personal_data_key, to_stderr=True)
    database = Database(settings)
    try:
        yield database
    finally:
        database.dispose()
