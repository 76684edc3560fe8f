"""What a migration would run. SQLite alters a table by rebuilding what it reads of it, so a copy is migrated."""

import sqlite3

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool


def sql_of(config: Config, connection: Connection, _current: str | None) -> str:
    """Return the SQL up to the newest revision, as it runs on a copy of the database in memory."""
    copy, statements = _in_memory(connection), list[str]()

    @event.listens_for(copy, "before_cursor_execute")
    def record(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("PRAGMA", "SELECT")):
            statements.append(f"{statement.strip()};")

    with copy.connect() as migrated:
        config.attributes["connection"] = migrated
        command.upgrade(config, "head")
    copy.dispose()
    return "\n\n".join(statements)


def _in_memory(connection: Connection) -> Engine:
    # SQLite would wait for the transaction of this very connection.
    connection.rollback()
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    original = connection.connection.driver_connection
    if original is not None:
        original.backup(copy)
    return create_engine("sqlite://", creator=lambda: copy, poolclass=StaticPool)
