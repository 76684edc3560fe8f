from collections.abc import Callable, Generator
from pathlib import Path
from threading import Barrier, Thread

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import inspect

from app.core.settings import Settings
from app.db.database import Database
from app.db.migrate import alembic_config, current_revision, expected_revision, pending_sql, run, upgrade
from app.db.migrations.chain import previous
from app.db.models import Base
from tests.databases import fresh_database

_SCRIPTS = ScriptDirectory.from_config(alembic_config())
_REVISIONS = list(_SCRIPTS.walk_revisions())


@pytest.fixture
def empty(settings: Settings, tmp_path: Path) -> Generator[Settings]:
    """Settings for a database that was never migrated."""
    with fresh_database(tmp_path) as url:
        yield settings.model_copy(update={"database_url": SecretStr(url)})


def revision_of(settings: Settings) -> str | None:
    database = Database(settings)
    revision = database.read(current_revision)
    database.dispose()
    return revision


def tables_of(settings: Settings) -> set[str]:
    database = Database(settings)
    tables = set(inspect(database.reader).get_table_names())
    database.dispose()
    return tables - {"alembic_version"}


def down(to: str) -> Callable[[Config], None]:
    return lambda config: command.downgrade(config, to)


class TestHistory:
    def test_it_has_one_head(self) -> None:
        assert len(_SCRIPTS.get_heads()) <= 1

    def test_it_has_one_beginning(self) -> None:
        assert len(_SCRIPTS.get_bases()) <= 1

    def test_there_is_a_way_back_from_everywhere(self, empty: Settings) -> None:
        upgrade(empty)
        there = tables_of(empty)
        run(empty, down("base"))

        assert tables_of(empty) == set()
        upgrade(empty)
        assert there == tables_of(empty)
        assert expected_revision() == revision_of(empty)

    def test_it_leads_to_what_the_models_say(self, settings: Settings) -> None:
        run(settings, command.check)


class TestDryRun:
    def test_it_says_what_is_missing_and_changes_nothing(self, empty: Settings) -> None:
        sql = pending_sql(empty)

        assert ("INSERT INTO alembic_version" in sql) == bool(_REVISIONS)
        assert [table for table in Base.metadata.tables if f"CREATE TABLE {table} " not in sql] == []
        assert None is revision_of(empty)
        assert tables_of(empty) == set()

    def test_it_starts_where_the_database_is(self, empty: Settings) -> None:
        upgrade(empty)
        # Before a migration that joins others there is no one place to start from.
        joined = any(script.is_merge_point for script in _REVISIONS[:1])
        earlier = [] if joined else [script.revision for script in _REVISIONS[1:2]]
        for revision in earlier:
            run(empty, down(revision))
        sql = pending_sql(empty)

        assert (f"'{expected_revision()}'" in sql) == bool(earlier)
        assert "CREATE TABLE alembic_version" not in sql

    def test_a_current_database_needs_nothing(self, settings: Settings) -> None:
        assert pending_sql(settings) == ""


class TestManyAtOnce:
    def test_a_database_is_migrated_once(self, empty: Settings, caplog: pytest.LogCaptureFixture) -> None:
        start, done = Barrier(4), list[bool]()

        def migrate() -> None:
            start.wait()
            upgrade(empty)
            done.append(True)

        # Daemons: without a lock they can wait for each other for ever.
        replicas = [Thread(target=migrate, daemon=True) for _ in range(4)]
        with caplog.at_level("INFO", "alembic.runtime.migration"):
            for replica in replicas:
                replica.start()
            for replica in replicas:
                replica.join(20)

        assert len(done) == 4
        steps = [record.getMessage() for record in caplog.records if "Running upgrade" in record.getMessage()]
        assert len(_REVISIONS) == len(steps)
        assert expected_revision() == revision_of(empty)


class TestChain:
    """The template's migrations find each other, whichever of them a service has."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name in ("0001_first", "0003_third", "0010_tenth", "202611010930_ours", "__init__"):
            (tmp_path / f"{name}.py").touch()
        return tmp_path

    @pytest.mark.parametrize(
        ("name", "before"), [("0001_first", None), ("0003_third", "0001_first"), ("0010_tenth", "0003_third")]
    )
    def test_each_follows_the_one_before_it(self, folder: Path, name: str, before: str | None) -> None:
        assert before == previous(str(folder / f"{name}.py"))

    def test_their_revisions_are_their_names(self) -> None:
        ours = [script for script in _REVISIONS if Path(script.path).stem[4] == "_"]

        assert [Path(script.path).stem for script in ours] == [script.revision for script in ours]
