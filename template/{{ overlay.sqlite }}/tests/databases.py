"""A database for one run of the tests: a file in a temporary folder."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from app.core.settings import Settings


@contextmanager
def fresh_database(folder: Path) -> Generator[str]:
    """Yield the URL of a new, empty database."""
    yield f"sqlite:///{folder / 'test.db'}"


def without_database(settings: Settings) -> Settings:
    """Return `settings` for a database that cannot be reached."""
    url = "sqlite:////no/such/folder/test.db"
    return settings.model_copy(update={"database_url": SecretStr(url)})
