"""Connections are counted as they come and go."""

from collections import Counter

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.settings import Settings
from app.db.database import Database
from tests.integration.work import opened
from tests.metrics import value_of

Connections = Counter[str]


def connections(pool: str = "write") -> Connections:
    """Return how many connections are in which state."""
    return Counter(
        {state: int(value_of("db_pool_connections", pool=pool, state=state)) for state in ("in_use", "idle")}
    )


def added(before: Connections, pool: str = "write") -> tuple[int, int]:
    """Return how many are in use and how many are idle, more than `before`."""
    now = connections(pool)
    return now["in_use"] - before["in_use"], now["idle"] - before["idle"]


def test_one_is_in_use_during_a_unit_of_work_then_idle_and_at_last_gone(settings: Settings) -> None:
    before = connections()

    def work(session: Session) -> tuple[int, int]:
        session.execute(text("SELECT 1"))
        return added(before)

    with opened(settings) as database:
        seen = [database.write(work), added(before), database.write(work)]
    assert seen == [(1, 0), (0, 1), (1, 0)]
    assert added(before) == (0, 0)


def test_the_most_that_may_be_open_is_known(settings: Settings) -> None:
    with opened(settings, database_pool_size=7) as database:
        database.write(lambda session: session.execute(text("SELECT 1")))
        assert value_of("db_pool_connections_max", pool="write") == 7


def test_one_that_is_lost_is_not_counted_any_more(settings: Settings) -> None:
    def lose(session: Session) -> None:
        session.connection().invalidate()
        raise LookupError

    before = connections()
    with opened(settings) as database:
        with pytest.raises(LookupError):
            database.write(lose)
        assert added(before) == (0, 0)


def test_those_of_a_replica_are_counted_apart(settings: Settings) -> None:
    def read(session: Session) -> tuple[int, int]:
        session.execute(text("SELECT 1"))
        return added(before, "replica")

    def read_of(database: Database) -> tuple[int, int]:
        return database.read(read)

    before = connections("replica")
    with opened(settings) as one, opened(settings, database_read_url=settings.database_url) as two:
        assert (read_of(one), read_of(two)) == ((0, 0), (1, 0))
