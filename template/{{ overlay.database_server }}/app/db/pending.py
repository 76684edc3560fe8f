"""What a migration would run."""

from io import StringIO

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def sql_of(config: Config, _connection: Connection, current: str | None) -> str:
    """Return the SQL from the revision `current` up to the newest; nothing of it is run."""
    config.output_buffer = StringIO()
    command.upgrade(config, f"{current or 'base'}:head", sql=True)
    return config.output_buffer.getvalue().strip()
