"""Migrations, run by one process at a time however many start at once."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.core.errors import SettingsError
from app.core.settings import Settings
from app.db import dialect
from app.db.database import make_engine
from app.db.lock_waits import LockWaits
from app.db.pending import sql_of
from app.db.url import database_migration_url

_SCRIPTS = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, which uses `connection` or else the database of the settings."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@cache
def _revisions() -> tuple[list[str], frozenset[str]]:
    """Return the newest revisions and all that there are, as the folder was when this was called first.

    A release may put the next code into the folder while this one still runs.
    """
    scripts = ScriptDirectory.from_config(alembic_config())
    return sorted(scripts.get_heads()), frozenset(script.revision for script in scripts.walk_revisions())


def expected_revision() -> str | None:
    """Return the revision that this code needs; None if there are no migrations.

    Raises:
        SettingsError: the migrations end in several revisions; the message says how to join them.
    """
    heads, _ = _revisions()
    if len(heads) > 1:
        raise SettingsError(
            f"The migrations end in {' and '.join(heads)}. An update of the template may have brought one. "
            "Join them: uv run just merge-migrations"
        )
    return next(iter(heads), None)


def current_revision(session: Session) -> str | None:
    """Return the revision that the database is at; None if it was never migrated."""
    return MigrationContext.configure(session.connection()).get_current_revision()


def is_migrated(session: Session) -> bool:
    """Return whether the database is at the revision that this code needs, or past it.

    One that this code does not know is a newer release's: during a rolling update, the older release goes on.
    """
    current, (_, known) = current_revision(session), _revisions()
    return current == expected_revision() or (current is not None and current not in known)


def upgrade(settings: Settings, revision: str = "head", *, url: URL | None = None) -> None:
    """Bring the database up to `revision`. Safe to call from several processes at once.

    Raises:
        SettingsError: there are several newest revisions.
        Unavailable: it needs a lock that others hold; the message says who.
    """
    if revision == "head":
        expected_revision()
    run(settings, lambda config: command.upgrade(config, revision), url=url)


def pending_sql(settings: Settings) -> str:
    """Return the SQL that `upgrade` would run, nothing if the database is current; changes nothing."""
    engine = make_engine(database_migration_url(settings), settings, "migrate", poolclass=NullPool)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current == expected_revision():
            return ""
        return sql_of(alembic_config(connection), connection, current)


def run(settings: Settings, action: Callable[[Config], None], *, url: URL | None = None) -> None:
    """Call `action` with an Alembic configuration whose connection holds the migration lock.

    Raises:
        Unavailable: it needs a lock that others hold; the message says who.
    """
    engine = make_engine(url or database_migration_url(settings), settings, "migrate", poolclass=NullPool)
    waits = LockWaits(engine, settings)

    def attempt() -> None:
        with engine.connect() as connection, dialect.migration_lock(connection):
            action(alembic_config(connection))

    if dialect.ROLLS_BACK_DDL:
        waits.retry(attempt)
    else:
        # What came before a statement stays done, so that statement alone is run again.
        event.listen(engine, "do_execute", waits.retry_statement)
        event.listen(engine, "do_executemany", waits.retry_statements)
        attempt()
