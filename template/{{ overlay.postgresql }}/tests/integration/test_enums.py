"""Migrations that Alembic generates create, extend and drop the types of enums."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.operations.ops import DowngradeOps, UpgradeOps
from alembic.util import CommandError
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.base import PGInspector

from app.db.migrations.options import OPTIONS
from tests.databases import fresh_database


@pytest.fixture
def connection(tmp_path: Path) -> Generator[sa.Connection]:
    with fresh_database(tmp_path) as url:
        engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            yield connection
        engine.dispose()


def paints(*columns: str, colours: tuple[str, ...] = ("red", "green")) -> sa.MetaData:
    """Return a table of paints with `columns`, and one that has its colours, too."""
    metadata = sa.MetaData()
    colour = sa.Enum(*colours, name="colour")
    kinds = {"colour": colour, "others": sa.ARRAY(colour), "finish": sa.Enum("it's matt", name="Finish")}
    for table in ("paints", "lacquers"):
        key = sa.Column("id", sa.Integer, primary_key=True)
        sa.Table(table, metadata, key, *(sa.Column(name, kinds[name]) for name in columns))
    return metadata


def migrate(connection: sa.Connection, metadata: sa.MetaData) -> DowngradeOps:
    """Generate a migration to `metadata`, run it, and return what takes it back."""
    context = MigrationContext.configure(connection, opts={"target_metadata": metadata, **OPTIONS})
    script = produce_migrations(context, metadata)
    assert script.upgrade_ops is not None
    assert script.downgrade_ops is not None
    run(context, script.upgrade_ops)
    assert script.upgrade_ops.as_diffs() != []
    after = produce_migrations(context, metadata)
    assert after.upgrade_ops is not None
    assert after.upgrade_ops.as_diffs() == []
    return script.downgrade_ops


def run(context: MigrationContext, operations: UpgradeOps | DowngradeOps) -> None:
    code = render_python_code(operations, migration_context=context, render_item=OPTIONS["render_item"])
    names: dict[str, Any] = {"sa": sa, "postgresql": postgresql, "op": Operations(context)}
    exec("if True:\n" + code, names)  # noqa: S102 - what Alembic writes


def types(connection: sa.Connection) -> list[list[str]]:
    inspector = sa.inspect(connection)
    assert isinstance(inspector, PGInspector)
    return [each["labels"] for each in inspector.get_enums()]


MANY = ("blue", "red", "pink", "green", "grey", "white")
STEPS = (
    paints("colour"),
    paints("colour", "finish"),
    paints("colour", "finish", colours=MANY),
    paints("others", colours=MANY),
    paints(),
    paints("colour", "finish"),
    sa.MetaData(),
)


def test_each_step_is_complete(connection: sa.Connection) -> None:
    for metadata in STEPS:
        migrate(connection, metadata)
        if metadata is STEPS[2]:
            assert list(MANY) in types(connection)

    assert types(connection) == []


def test_each_step_is_taken_back_and_done_again(connection: sa.Connection) -> None:
    context = MigrationContext.configure(connection, opts=OPTIONS)
    for metadata in STEPS:
        back = migrate(connection, metadata)
        if metadata is STEPS[2]:
            continue  # The values stay.
        run(context, back)
        migrate(connection, metadata)


def test_a_value_that_the_model_lacks_is_refused(connection: sa.Connection) -> None:
    migrate(connection, paints("colour"))

    with pytest.raises(CommandError, match="type colour has green, and the model has not"):
        migrate(connection, paints("colour", colours=("red",)))
