"""Alembic's entry point, for `app migrate` (which brings a connection) and for the `alembic` command."""

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.pool import NullPool

from app.core.settings import get_settings
from app.db import dialect
from app.db.database import make_engine
from app.db.migrations.directives import put_in_order
from app.db.migrations.options import OPTIONS
from app.db.models import Base
from app.db.url import database_migration_url


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
        # Every constraint has a name here.
        autogenerate_plugins=["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
        user_module_prefix="types.",
        process_revision_directives=put_in_order,
        # Locks of one migration are not held while another one waits for its own, where the database has several locks.
        transaction_per_migration=True,
        **OPTIONS,
    )
    with context.begin_transaction():
        context.run_migrations()


def write_sql(dialect_name: str) -> None:
    # Named: another style would double each percent sign.
    context.configure(
        dialect_name=dialect_name,
        dialect_opts={"paramstyle": "named"},
        target_metadata=Base.metadata,
        literal_binds=True,
        user_module_prefix="types.",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    if context.is_offline_mode():
        write_sql(context.config.attributes.get("dialect_name") or dialect.DRIVER.partition("+")[0])
        return
    brought: Connection | None = context.config.attributes.get("connection")
    if brought is not None:
        migrate(brought)
        return
    settings = get_settings()
    engine = make_engine(database_migration_url(settings), settings, "migrate", poolclass=NullPool)
    with engine.connect() as connection, dialect.migration_lock(connection):
        migrate(connection)


main()
