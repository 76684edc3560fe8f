import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.errors import RequestTimeout, Unavailable
from app.core.settings import Settings
from app.db.database import Database
from app.db.models import Base
from app.db.types import ExactText, UTCDateTime
from tests.integration.tables import names, rename
from tests.integration.work import opened

# SLEEP() itself ends early without an error on MySQL.
_SLOW = "SELECT COUNT(*) FROM information_schema.COLUMNS a, information_schema.COLUMNS b, information_schema.COLUMNS c"


class TestStatements:
    def test_one_that_runs_away_is_stopped(self, settings: Settings) -> None:
        started = time.monotonic()
        with opened(settings, request_timeout_seconds=0.2) as impatient, pytest.raises(RequestTimeout):
            impatient.read(lambda session: session.execute(text(_SLOW)))

        assert time.monotonic() - started < 4


class TestDeadlocks:
    def test_the_loser_is_run_again(self, things: Database) -> None:
        both_hold_one, winner_is_done, attempts = Barrier(2), Event(), list[int]()

        def swap(session: Session, first: int, second: int) -> None:
            attempts.append(first)
            if len(attempts) > 2:
                # Sooner it could take the first lock again, and be the loser again.
                winner_is_done.wait(5)
            rename(session, first, f"by {first}")
            if len(attempts) <= 2:
                both_hold_one.wait(5)
            rename(session, second, f"by {first}")

        def write(first: int, second: int) -> None:
            things.write(swap, first, second)
            winner_is_done.set()

        with ThreadPoolExecutor(2) as threads:
            for done in [threads.submit(write, *order) for order in [(1, 2), (2, 1)]]:
                done.result()

        assert len(attempts) == 3
        assert len(set(things.read(names))) == 1


class TestStaleConnections:
    def test_a_read_takes_another(self, things: Database, settings: Settings) -> None:
        with opened(settings, database_pool_size=1) as pooled:
            _kill(things, pooled.read(_connection))

            assert pooled.read(names) == ["new", "new"]

    def test_a_write_is_unavailable_and_the_next_one_is_not(self, things: Database, settings: Settings) -> None:
        with opened(settings, database_pool_size=1) as pooled:
            _kill(things, pooled.write(_connection))

            with pytest.raises(Unavailable):
                pooled.write(rename)
            pooled.write(rename)

        assert things.read(names) == ["renamed", "new"]


class TestSessions:
    def test_they_are_in_utc(self, shared_database: Database) -> None:
        assert shared_database.read(lambda session: session.scalar(text("SELECT @@time_zone"))) == "+00:00"

    def test_writes_do_not_lock_gaps(self, shared_database: Database) -> None:
        level = shared_database.write(lambda session: session.connection().get_isolation_level())

        assert level == "READ COMMITTED"


class TestColumns:
    def test_every_instant_has_microseconds_and_every_text_is_exact(self, shared_database: Database) -> None:
        found = {
            (table, column): kind
            for table, column, kind in shared_database.read(lambda session: session.execute(_COLUMNS).all())
        }

        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                kind = found[table.name, column.name]
                assert not isinstance(column.type, UTCDateTime) or kind == "datetime(6)"
                assert not isinstance(column.type, ExactText) or kind.startswith("varbinary(")


_COLUMNS = text(
    "SELECT table_name, column_name, column_type FROM information_schema.columns WHERE table_schema = DATABASE()"
)


def _connection(session: Session) -> int:
    return int(session.scalars(text("SELECT CONNECTION_ID()")).one())


def _kill(database: Database, connection: int) -> None:
    database.write(lambda session: session.execute(text(f"KILL {connection}")))
    time.sleep(0.05)
