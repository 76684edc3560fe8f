import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.core.errors import RequestTimeout
from app.core.settings import Settings
from app.db.database import Database, make_engine
from tests.integration.tables import Thing
from tests.integration.work import within

_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


class TestStatements:
    def test_one_that_runs_away_is_stopped_at_the_deadline(self, shared_database: Database) -> None:
        started = time.monotonic()
        with pytest.raises(RequestTimeout):
            within(0.2, lambda: shared_database.read(lambda session: session.scalar(text(_ENDLESS))))

        assert time.monotonic() - started < 30

    def test_the_connection_is_fit_for_use_afterwards(self, things: Database) -> None:
        with pytest.raises(RequestTimeout):
            within(0.1, lambda: things.write(lambda session: session.scalar(text(_ENDLESS))))

        assert things.write(lambda session: session.get_one(Thing, 1).name) == "new"


class TestConnections:
    @pytest.mark.parametrize(("pragma", "value"), [("foreign_keys", 1), ("journal_mode", "wal"), ("synchronous", 1)])
    def test_pragmas_are_set_on_each(self, shared_database: Database, pragma: str, value: object) -> None:
        for work in (shared_database.read, shared_database.write):
            assert value == work(lambda session: session.scalar(text(f"PRAGMA {pragma}")))

    def test_one_opens_while_somebody_writes_to_a_new_file(self, settings: Settings, tmp_path: Path) -> None:
        file = tmp_path / "new.db"
        engine = make_engine(make_url(f"sqlite:///{file}"), settings, "write", poolclass=NullPool)

        def mode() -> object:
            with engine.connect() as connection:
                return connection.connection.execute("PRAGMA journal_mode").fetchone()

        with closing(sqlite3.connect(file, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            meanwhile = mode()
            writer.execute("COMMIT")

        assert meanwhile == ("delete",)
        assert mode() == ("wal",)


class TestTransactions:
    def test_those_that_read_before_they_write_wait_for_each_other(self, things: Database) -> None:
        """Under BEGIN, SQLite's default, all but one would fail at once when they write."""
        start = Barrier(4)

        def append(session: Session) -> None:
            thing = session.get_one(Thing, 1)
            time.sleep(0.01)
            thing.name += "+"

        def work() -> None:
            start.wait()
            things.write(append)

        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(work) for _ in range(4)]:
                done.result()

        assert things.read(lambda session: session.get_one(Thing, 1).name) == "new++++"

    def test_reads_do_not_wait_for_a_writer(self, things: Database) -> None:
        def read_meanwhile(session: Session) -> str:
            session.get_one(Thing, 1).name = "renamed"
            session.flush()
            return things.read(lambda other: other.get_one(Thing, 1).name)

        assert things.write(read_meanwhile) == "new"
