import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from pydantic import SecretStr
from sqlalchemy import Column, MetaData, String, Table, event, insert, make_url, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.errors import RequestTimeout, Unavailable
from app.core.settings import Settings
from app.db.database import Database
from app.db.migrate import upgrade
from app.db.models import Base
from app.db.types import ExactText, UTCDateTime
from tests.databases import fresh_database
from tests.integration.tables import names, rename
from tests.integration.work import opened

# SLEEP() itself ends early without an error on MySQL.
_SLOW = "SELECT COUNT(*) FROM information_schema.COLUMNS a, information_schema.COLUMNS b, information_schema.COLUMNS c"


class TestStatements:
    def test_one_that_runs_away_is_stopped(self, settings: Settings) -> None:
        started = time.monotonic()
        with opened(settings, request_timeout_seconds=1) as impatient, pytest.raises(RequestTimeout):
            impatient.read(lambda session: session.execute(text(_SLOW)))

        assert time.monotonic() - started < 30


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

    def test_a_write_does_too(self, things: Database, settings: Settings) -> None:
        with opened(settings, database_pool_size=1) as pooled:
            _kill(things, pooled.write(_connection))
            pooled.write(rename)

        assert things.read(names) == ["renamed", "new"]

    def test_a_write_that_loses_it_on_the_way_runs_again(self, things: Database) -> None:
        attempts: list[int] = []

        def lose_the_first(session: Session) -> None:
            attempts.append(_connection(session))
            rename(session)
            if len(attempts) == 1:
                _kill(things, attempts[0])
            rename(session, 2)

        things.write(lose_the_first)

        assert len(set(attempts)) == 2
        assert things.read(names) == ["renamed", "renamed"]

    def test_a_commit_that_loses_it_is_not_run_again(self, things: Database) -> None:
        attempts: list[int] = []

        def lose_it_at_the_end(session: Session) -> None:
            attempts.append(_connection(session))
            rename(session)

            @event.listens_for(session, "before_commit")
            def lose(_: Session) -> None:
                _kill(things, attempts[0])

        with pytest.raises(Unavailable, match="Look whether it was made"):
            things.write(lose_it_at_the_end)

        assert len(attempts) == 1
        assert things.read(names) == ["new", "new"]


class TestReadOnly:
    def test_a_write_is_unavailable_and_a_read_that_writes_is_a_defect(
        self, things: Database, settings: Settings
    ) -> None:
        with opened(
            settings, database_url=_with(settings, init_command="SET SESSION TRANSACTION READ ONLY")
        ) as replica:
            with pytest.raises(Unavailable, match="takes no changes"):
                replica.write(rename)
            with pytest.raises(DBAPIError):
                replica.read(rename)

        assert things.is_writable()
        assert things.read(names) == ["new", "new"]


class TestSessions:
    def test_they_are_in_utc(self, shared_database: Database) -> None:
        assert shared_database.read(lambda session: session.scalar(text("SELECT @@time_zone"))) == "+00:00"

    def test_a_statement_of_the_url_counts_beside_ours(self, settings: Settings) -> None:
        with opened(settings, database_url=_with(settings, init_command="SET @shop = 7")) as shop:
            found = shop.read(lambda session: session.execute(text("SELECT @shop, @@time_zone")).one())

        assert tuple(found) == (7, "+00:00")

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


class TestCharacterSets:
    def test_tables_hold_any_text_whatever_the_default_is(self, settings: Settings, tmp_path: Path) -> None:
        with fresh_database(tmp_path) as url, opened(settings, database_url=SecretStr(url)) as database:
            database.write(lambda session: session.execute(text("ALTER DATABASE CHARACTER SET latin1")))
            upgrade(database.settings)
            note = Column("note", String(10), primary_key=True)
            table = Table("notes", MetaData(), note)
            table.create(database.writer)
            database.write(lambda session: session.execute(insert(table).values(note="日本")))

            assert database.read(lambda session: session.scalars(select(note)).all()) == ["日本"]
            collations = database.read(lambda session: session.scalars(_COLLATIONS).all())
            assert [each for each in collations if not each.startswith("utf8mb4")] == []


_COLLATIONS = text("SELECT table_collation FROM information_schema.tables WHERE table_schema = DATABASE()")
_COLUMNS = text(
    "SELECT table_name, column_name, column_type FROM information_schema.columns WHERE table_schema = DATABASE()"
)


_IS_THERE = text("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE id = :id")


def _connection(session: Session) -> int:
    return int(session.scalars(text("SELECT CONNECTION_ID()")).one())


def _kill(database: Database, connection: int) -> None:
    database.write(lambda session: session.execute(text(f"KILL {connection}")))
    deadline = time.monotonic() + 30
    while database.read(lambda session: session.scalar(_IS_THERE, {"id": connection})):
        assert time.monotonic() < deadline, "the server has not closed the connection"
        time.sleep(0.01)


def _with(settings: Settings, **options: str) -> SecretStr:
    assert settings.database_url is not None
    url = make_url(settings.database_url.get_secret_value()).update_query_dict(options)
    return SecretStr(url.render_as_string(hide_password=False))
