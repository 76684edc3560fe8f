"""A database for one run of the tests: a file in a temporary folder."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def fresh_database(folder: Path) -> Generator[str]:
    """Yield the URL of a new, empty database."""
    yield f"sqlite:///{folder / 'test.db'}"
