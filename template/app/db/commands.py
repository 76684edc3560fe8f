"""`app migrate`, and the database for other commands that need it."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from app.core.settings import get_settings
from app.observability.logging import configure_logging

if TYPE_CHECKING:
    from app.db.database import Database


@contextmanager
def opened_database() -> "Generator[Database]":
    """The database that the environment names; the log goes to standard error, since the output is the command's own.

    Raises:
        SettingsError: the settings do not say what is needed to open it.
    """
    from app.db.database import Database  # noqa: PLC0415 - commands start faster without

    settings = get_settings()
    configure_logging(settings.log_level, settings.personal_data_key, to_stderr=True, environment=settings.environment)
    database = Database(settings)
    try:
        yield database
    finally:
        database.dispose()


@click.command("migrate")
@click.option("--dry-run", is_flag=True, help="Only print the SQL of what is missing up to the newest.")
@click.argument("revision", default="head")
def command(revision: str, *, dry_run: bool) -> None:
    """Bring the database up to REVISION (the newest by default)."""
    from alembic.util import CommandError  # noqa: PLC0415 - the other commands start faster without

    from app.db.migrate import pending_sql, upgrade  # noqa: PLC0415 - the same

    settings = get_settings()
    # What is said without a failure is that it waits for a lock.
    configure_logging("WARNING", settings.personal_data_key, to_stderr=True, environment=settings.environment)
    try:
        if dry_run and revision != "head":
            raise click.UsageError("--dry-run prints what is missing up to the newest: leave REVISION out.")
        if dry_run:
            click.echo(pending_sql(settings) or "Nothing to do: the database is current.")
            return
        upgrade(settings, revision)
    except CommandError as error:
        raise click.ClickException(f"{error}.") from error
    click.echo(f"The database is at {revision}.")
