from collections.abc import Generator

import pytest

from app.db.database import Database
from tests.integration.tables import Base, add


@pytest.fixture
def things(shared_database: Database) -> Generator[Database]:
    """The units of work, and a table with two things that are called "new"."""
    Base.metadata.create_all(shared_database.writer)
    shared_database.write(add, 1)
    shared_database.write(add, 2)
    yield shared_database
    Base.metadata.drop_all(shared_database.writer)


@pytest.fixture
def here(things: Database, database: Database) -> Database:  # noqa: ARG001 - empties the tables
    """The same, and the service's tables, which are empty."""
    return things
