"""What all tests share: a database of their own, the service in process, and callers."""

import json
import logging
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import ForeignKey, Table, delete
from sqlalchemy.orm import Session
from xdist.workermanage import WorkerController

from app.core.settings import Settings, load_settings
from app.db.database import Database
from app.db.migrate import upgrade
from app.db.models import Base
from tests.callers import scheme_settings
from tests.client import open_client
from tests.commands import Outcome, run_app
from tests.databases import fresh_database
from tests.document import Document

Command = Callable[..., Outcome]
Events = Callable[[], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Generator[Settings]:
    """Settings for a migrated database that is there for this run only."""
    with fresh_database(tmp_path_factory.mktemp("database")) as url, scheme_settings() as scheme:
        settings = load_settings(
            _env_file=None,
            environment="test",
            database_url=url,
            database_read_url=None,
            database_migration_url=None,
            database_pool_size=5,
            request_timeout_seconds=5,
            # Tests write often.
            rate_limit_enabled=False,
            log_level="INFO",
            **scheme,
        )
        upgrade(settings)
        yield settings


@pytest.fixture(scope="session")
def shared_database(settings: Settings) -> Generator[Database]:
    database = Database(settings)
    yield database
    database.dispose()


@pytest.fixture
def database(shared_database: Database) -> Generator[Database]:
    """The units of work; what a test leaves in the tables is removed."""
    yield shared_database
    with shared_database.writer.begin() as connection:
        for table in _tables_to_empty():
            connection.execute(delete(table))


@pytest.fixture
def session(shared_database: Database) -> Generator[Session]:
    """A session whose changes, committed or not, are gone after the test."""
    with shared_database.writer.connect() as connection:
        transaction = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            yield session
        transaction.rollback()


@pytest.fixture(scope="session")
def service(settings: Settings) -> Generator[httpx2.Client]:
    # The service logs each request itself.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    with open_client(settings) as client:
        yield client


@pytest.fixture(scope="session")
def document() -> Document:
    return Document(Path("openapi.json"))


@pytest.fixture
def client(service: httpx2.Client, database: Database, document: Document) -> Generator[httpx2.Client]:  # noqa: ARG001
    """A client without credentials; each answer is held against the OpenAPI document."""
    service.event_hooks["response"] = [document.check]
    yield service
    service.event_hooks["response"] = []


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return `run_app` with the database of the tests in its environment."""
    assert settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    return run_app


@pytest.fixture
def events(capfdbinary: pytest.CaptureFixture[bytes]) -> Events:
    """Return what gives the security events since its last call."""

    def read() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
        return [line for line in lines if line.get("security")]

    return read


@cache
def _tables_to_empty() -> list[Table]:
    """Return all tables but those whose rows go with the row that they belong to."""
    return [table for table in reversed(Base.metadata.sorted_tables) if not any(map(_belongs, table.foreign_keys))]


def _belongs(key: ForeignKey) -> bool:
    is_of_another = key.column.table is not key.parent.table
    return is_of_another and key.ondelete == "CASCADE" and not key.parent.nullable


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: WorkerController, error: object) -> None:
    """Show why a worker ended early, which is usually the database server: xdist hides its output."""
    if error is None and node.workeroutput["exitstatus"] == pytest.ExitCode.INTERRUPTED:
        with fresh_database(Path()):
            return
