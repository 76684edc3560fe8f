import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.errors import RequestTimeout, Unavailable
from app.core.settings import Settings
from app.db import dialect
from app.db.database import Database
from app.db.migrate import run
from app.db.models import Base
from app.db.types import ExactText, UTCDateTime
from tests.integration.tables import Thing, names, rename
from tests.integration.work import opened

_ANOTHER_WAITS = text("SELECT EXISTS (SELECT FROM pg_locks WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid)))")


class TestStatements:
    def test_one_that_runs_away_is_stopped(self, settings: Settings) -> None:
        started = time.monotonic()
        with opened(settings, request_timeout_seconds=1) as impatient:
            for work in (impatient.read, impatient.write):
                with pytest.raises(RequestTimeout):
                    work(lambda session: session.execute(text("SELECT pg_sleep(60)")))

        assert time.monotonic() - started < 50


class TestMigrations:
    @pytest.mark.usefixtures("things")
    def test_those_who_wait_let_an_index_be_built(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        begun, another_waits, turns = Event(), Event(), list[str]()

        def sleep(_seconds: float) -> None:
            another_waits.set()
            begun.wait(0.01)

        def index(config: Config) -> None:
            begun.set()
            assert another_waits.wait(5)
            connection = config.attributes["connection"].execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text(f"CREATE INDEX CONCURRENTLY ix_name ON {Thing.__tablename__} (name)"))
            turns.append("index")

        monkeypatch.setattr(dialect.time, "sleep", sleep)
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(run, settings, index)
            assert begun.wait(5)
            run(settings, lambda _: turns.append("another"))
            first.result()

        assert turns == ["index", "another"]


class TestDeadlocks:
    def test_the_loser_is_run_again(self, things: Database) -> None:
        both_hold_one, winner_is_done, attempts = Barrier(2), Event(), list[int]()

        def swap(session: Session, first: int, second: int) -> None:
            loses = first == 1
            # Each looks for a deadlock once, so long after it has begun to wait.
            session.execute(text(f"SET LOCAL deadlock_timeout = '{'10ms' if loses else '10min'}'"))
            attempts.append(first)
            if len(attempts) > 2:
                # Sooner it could take the first lock again, and be the loser again.
                winner_is_done.wait(5)
            rename(session, first, f"by {first}")
            if len(attempts) <= 2:
                both_hold_one.wait(5)
                if loses:
                    _wait_until_another_waits(session)
            rename(session, second, f"by {first}")

        def write(first: int, second: int) -> None:
            things.write(swap, first, second)
            winner_is_done.set()

        with ThreadPoolExecutor(2) as threads:
            for done in [threads.submit(write, *order) for order in [(1, 2), (2, 1)]]:
                done.result()

        assert len(attempts) == 3
        assert len(set(things.read(names))) == 1


def _wait_until_another_waits(session: Session) -> None:
    deadline = time.monotonic() + 5
    while not session.scalar(_ANOTHER_WAITS):
        assert time.monotonic() < deadline, "nobody waits for what this transaction holds"
        time.sleep(0.01)


class TestStaleConnections:
    def test_a_read_takes_another(self, things: Database, settings: Settings) -> None:
        with opened(settings, database_pool_size=1) as pooled:
            _terminate(things, pooled.read(_process))

            assert pooled.read(names) == ["new", "new"]

    def test_a_write_does_too(self, things: Database, settings: Settings) -> None:
        with opened(settings, database_pool_size=1) as pooled:
            _terminate(things, pooled.write(_process))
            pooled.write(rename)

        assert things.read(names) == ["renamed", "new"]

    def test_a_write_that_loses_it_on_the_way_runs_again(self, things: Database) -> None:
        attempts: list[int] = []

        def lose_the_first(session: Session) -> None:
            attempts.append(_process(session))
            rename(session)
            if len(attempts) == 1:
                _terminate(things, attempts[0])
            rename(session, 2)

        things.write(lose_the_first)

        assert len(set(attempts)) == 2
        assert things.read(names) == ["renamed", "renamed"]

    def test_a_commit_that_loses_it_is_not_run_again(self, things: Database) -> None:
        attempts: list[int] = []

        def lose_it_at_the_end(session: Session) -> None:
            attempts.append(_process(session))
            rename(session)

            @event.listens_for(session, "before_commit")
            def lose(_: Session) -> None:
                _terminate(things, attempts[0])

        with pytest.raises(Unavailable, match="Look whether it was made"):
            things.write(lose_it_at_the_end)

        assert len(attempts) == 1
        assert things.read(names) == ["new", "new"]


class TestReadOnly:
    def test_a_write_is_unavailable_and_a_read_that_writes_is_a_defect(
        self, things: Database, settings: Settings
    ) -> None:
        with opened(settings, database_url=_with(settings, options="-cdefault_transaction_read_only=on")) as replica:
            with pytest.raises(Unavailable, match="takes no changes"):
                replica.write(rename)
            with pytest.raises(DBAPIError):
                replica.read(rename)
            assert not replica.is_writable()

        assert things.is_writable()
        assert things.read(names) == ["new", "new"]


class TestSessions:
    def test_they_are_in_utc(self, shared_database: Database) -> None:
        assert shared_database.read(lambda session: session.scalar(text("SHOW timezone"))) == "UTC"

    def test_options_of_the_url_count_beside_ours(self, settings: Settings) -> None:
        with opened(settings, database_url=_with(settings, options="-csearch_path=shop")) as shop:
            found = shop.read(lambda session: [session.scalar(text(f"SHOW {name}")) for name in _OPTIONS])

        assert found == ["shop", "5s", "5s"]

    def test_behind_a_pooler_every_unit_of_work_is_a_transaction_with_its_limit(self, settings: Settings) -> None:
        with opened(settings, database_url=_with(settings, pgbouncer="true"), database_pool_size=1) as pooled:
            for work in (pooled.read, pooled.write, pooled.read):
                for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
                    assert work(lambda session, name=name: session.scalar(text(f"SHOW {name}"))) == "5s"
                # In a transaction, time stands still since its beginning, which was a statement of its own.
                assert work(lambda session: session.scalar(text("SELECT now() < statement_timestamp()")))


class TestColumns:
    def test_every_text_is_exact_and_every_instant_has_a_zone(self, shared_database: Database) -> None:
        found = {
            (table, column): (kind, collation)
            for table, column, kind, collation in shared_database.read(lambda session: session.execute(_COLUMNS).all())
        }

        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                kind, collation = found[table.name, column.name]
                assert not isinstance(column.type, ExactText) or collation == "C"
                assert not isinstance(column.type, UTCDateTime) or kind == "timestamp with time zone"


_OPTIONS = ("search_path", "statement_timeout", "idle_in_transaction_session_timeout")
_COLUMNS = text("SELECT table_name, column_name, data_type, collation_name FROM information_schema.columns")


def _process(session: Session) -> int:
    return int(session.scalars(text("SELECT pg_backend_pid()")).one())


def _terminate(database: Database, process: int) -> None:
    database.write(lambda session: session.execute(text(f"SELECT pg_terminate_backend({process}, 5000)")))


def _with(settings: Settings, **options: str) -> SecretStr:
    assert settings.database_url is not None
    url = make_url(settings.database_url.get_secret_value()).update_query_dict(options)
    return SecretStr(url.render_as_string(hide_password=False))
