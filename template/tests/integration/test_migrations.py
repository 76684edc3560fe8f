import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from pydantic import SecretStr
from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Enum,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Uuid,
    inspect,
)

from app.core.settings import Settings
from app.db.database import Database
from app.db.migrate import alembic_config, current_revision, expected_revision, pending_sql, run, upgrade
from app.db.migrations.chain import previous
from app.db.models import Base
from tests.databases import fresh_database
from tests.integration.drift import WRITE_ONE, require_no_drift
from tests.integration.work import opened
from tests.rows import fill

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


def filled(settings: Settings) -> dict[str, int]:
    with opened(settings) as database, database.writer.begin() as connection:
        return fill(connection)


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

    def test_each_step_works_on_tables_with_rows(self, empty: Settings) -> None:
        for script in reversed(_REVISIONS):
            upgrade(empty, script.revision)
            assert all(count >= 2 for count in filled(empty).values())
        run(empty, down("base"))

    def test_it_leads_to_what_the_models_say(self, settings: Settings) -> None:
        require_no_drift(settings)

    def test_a_migration_that_was_forgotten_is_asked_for(self, empty: Settings) -> None:
        upgrade(empty)
        table = table_of(Base.metadata)
        try:
            with pytest.raises(pytest.fail.Exception) as failure:
                require_no_drift(empty)
        finally:
            Base.metadata.remove(table)

        assert f"add_table {table.name}" in str(failure.value)
        assert str(failure.value).endswith(WRITE_ONE)


class TestRows:
    def test_are_made_up_for_any_table(self, empty: Settings) -> None:
        metadata = MetaData()
        Table("parents", metadata, Column("id", Integer, primary_key=True, autoincrement=False))
        Table(
            "children",
            metadata,
            Column("id", Uuid, primary_key=True),
            Column("parent_id", ForeignKey("parents.id"), nullable=False, unique=True),
            Column("before_id", ForeignKey("children.id")),
            Column("kind", Enum("small", "large", name="kinds"), nullable=False),
            Column("state", String(10), nullable=False),
            Column("born", DateTime, nullable=False),
            Column("died", DateTime),
            Column("is_alive", Boolean),
            Column("weight", Numeric(4, 1), nullable=False),
            Column("notes", JSON, nullable=False),
            Column("code", String(3), server_default="abc", nullable=False),
            CheckConstraint("state IN ('new', 'old')", name="state"),
            CheckConstraint("(died IS NULL) = (is_alive IS NOT NULL)", name="life"),
        )
        with opened(empty) as database:
            metadata.create_all(database.writer)
            counts = [filled(empty), filled(empty)]
            metadata.drop_all(database.writer)

        assert counts == [{"parents": 2, "children": 2}, {"parents": 4, "children": 4}]

    def test_a_table_that_takes_none_is_named(self, empty: Settings) -> None:
        metadata = MetaData()
        size = Column("size", Integer, nullable=False)
        check = CheckConstraint("size > 1000", name="size")
        Table("things", metadata, Column("id", Integer, primary_key=True), size, check)
        with opened(empty) as database:
            metadata.create_all(database.writer)
            with pytest.raises(AssertionError, match=r"for things: give it values in OWN of tests/rows\.py"):
                filled(empty)
            metadata.drop_all(database.writer)


class TestDrift:
    @pytest.mark.parametrize(
        ("declared", "there"),
        [
            ({"checks": {"size": "size > 0"}}, {}),
            ({}, {"checks": {"size": "size > 0"}}),
            ({"default": "1"}, {}),
            ({}, {"default": "1"}),
            ({"default": "2"}, {"default": "1"}),
            ({"colours": ("red", "green", "yellow")}, {"colours": ("red", "green")}),
            ({"colours": ("red", "green")}, {"colours": ("red", "green", "yellow")}),
        ],
    )
    def test_is_found(self, empty: Settings, declared: dict[str, Any], there: dict[str, Any]) -> None:
        with drifted(empty, declared, there), pytest.raises(CommandError, match="things_of_the_drift"):
            run(empty, command.check)

    def test_is_not_found_where_there_is_none(self, empty: Settings) -> None:
        same = {"checks": {"size": "size > 0"}, "default": "1", "colours": ("red", "green")}
        with drifted(empty, same, same):
            run(empty, command.check)


@contextmanager
def drifted(settings: Settings, declared: dict[str, Any], there: dict[str, Any]) -> Generator[None]:
    """Declare a table in one form, and create it in another."""
    upgrade(settings)
    database = Database(settings)
    table_of(MetaData(naming_convention=Base.metadata.naming_convention), **there).create(database.writer)
    database.dispose()
    table = table_of(Base.metadata, **declared)
    try:
        yield
    finally:
        Base.metadata.remove(table)


def table_of(
    metadata: MetaData,
    checks: dict[str, str] | None = None,
    default: str | None = None,
    colours: tuple[str, ...] = ("red",),
) -> Table:
    columns = (
        Column("id", Integer, primary_key=True),
        Column("size", Integer, server_default=default, nullable=False),
        Column("colour", Enum(*colours, name="colour_of_things_of_the_drift"), nullable=False),
    )
    constraints = [CheckConstraint(sql, name=name) for name, sql in (checks or {}).items()]
    return Table("things_of_the_drift", metadata, *columns, *constraints)


class TestNewMigration:
    @pytest.mark.parametrize("imports", ["", "from sqlalchemy.types import Text"])
    def test_it_is_tidy_before_anything_formats_it(self, tmp_path: Path, imports: str) -> None:
        scripts = ScriptDirectory(_SCRIPTS.dir, version_locations=[str(tmp_path)])
        scripts.generate_revision("0a", "add things", head="base", imports=imports, upgrades="", downgrades="")
        (file,) = tmp_path.glob("*.py")
        text = file.read_text("utf-8")
        ruff = [sys.executable, "-m", "ruff", "format", "--check", "--config", "ruff.toml", str(file)]
        run = subprocess.run(ruff, capture_output=True, text=True, check=False)  # noqa: S603 - our own command

        assert run.returncode == 0, run.stdout
        assert "\n\n\n" not in text.partition("\n\n\ndef ")[0]
        assert imports in text


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
