"""A migration waits briefly for a lock, tries again, and says who holds it."""

from collections.abc import Generator

import pytest
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from app.core.errors import Unavailable
from app.core.settings import Settings
from app.db import dialect, lock_waits
from app.db.database import Database
from app.db.migrate import run
from tests.integration.tables import Thing, rename

pytestmark = pytest.mark.usefixtures("things")


@pytest.fixture
def holder(things: Database) -> Generator[Session]:
    """A transaction that is going on, and has changed a thing."""
    with Session(things.writer) as session:
        rename(session)
        yield session


def impatient(settings: Settings, retries: int) -> Settings:
    brief = {"migration_lock_timeout_seconds": 0.1, "migration_lock_retries": retries}
    return settings.model_copy(update=brief)


def widen(config: Config) -> None:
    connection: Connection = config.attributes["connection"]
    connection.execute(text(f"ALTER TABLE {Thing.__tablename__} ADD COLUMN more INTEGER"))


@pytest.mark.usefixtures("holder")
def test_it_gives_up_and_says_who_holds_the_lock(settings: Settings) -> None:
    with pytest.raises(Unavailable) as refused:
        run(impatient(settings, retries=0), widen)

    assert "the migration did not get a lock, 1 times for 0.1 s" in refused.value.message
    # A file has no list of who has opened it.
    assert ("It is held by" in refused.value.message) == (dialect.DEFAULT_URL is None)


def test_it_tries_again(settings: Settings, holder: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            holder.rollback()

    monkeypatch.setattr(lock_waits.time, "sleep", wait)
    run(impatient(settings, retries=2), widen)

    assert len(pauses) == 2
    assert 0.05 <= pauses[0] <= 0.15
    assert 0.1 <= pauses[1] <= 0.3


def test_another_failure_is_not_retried(settings: Settings) -> None:
    calls: list[Config] = []

    def fail(config: Config) -> None:
        calls.append(config)
        raise LookupError

    with pytest.raises(LookupError):
        run(impatient(settings, retries=2), fail)

    assert len(calls) == 1
