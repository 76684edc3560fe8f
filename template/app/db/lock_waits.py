"""Locks that a migration needs: it waits for each briefly, and tries again. Requests queue behind whoever waits."""

import random
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import structlog
from sqlalchemy import Engine
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.core.errors import Unavailable
from app.core.settings import Settings
from app.db import dialect

_LONGEST_PAUSE = 5
_SHOWN = 80

_log = structlog.get_logger("app.migrations")


class LockWaits:
    """Runs what may wait for a lock, up to MIGRATION_LOCK_RETRIES times again, with pauses in which requests get in."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.seconds = settings.migration_lock_timeout_seconds
        self.retries = settings.migration_lock_retries

    def retry(self, attempt: Callable[[], object], statement: str = "") -> None:
        """Call `attempt`, again if it did not get a lock in time.

        Raises:
            Unavailable: it never did; the message says who holds the lock, as far as the database tells.
        """
        for number in count(1):
            try:
                attempt()
            except Exception as error:
                driver = error.orig if isinstance(error, DBAPIError) else error
                if driver is None or not dialect.is_lock_timeout(driver):
                    raise
                about = getattr(error, "statement", None) or statement
                holders = self._holders(about)
                if number > self.retries:
                    raise self._given_up(about, number, holders) from error
                # Longer each time, and never in step with another process.
                pause = self.seconds * min(number, _LONGEST_PAUSE) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
                _log.warning("waiting for a lock", attempt=number, pause_seconds=round(pause, 1), holders=holders)
                time.sleep(pause)
            else:
                return

    def retry_statement(self, cursor: DBAPICursor, statement: str, parameters: Any, _context: object) -> bool:  # noqa: ANN401 - the driver's
        """Execute `statement`, as a listener of SQLAlchemy's event `do_execute`.

        Raises:
            Unavailable: as for `retry`.
        """
        self.retry(lambda: cursor.execute(statement, parameters), statement)
        return True

    def retry_statements(self, cursor: DBAPICursor, statement: str, parameters: Any, _context: object) -> bool:  # noqa: ANN401 - the driver's
        """Execute `statement` with each of `parameters`, as a listener of SQLAlchemy's event `do_executemany`.

        Raises:
            Unavailable: as for `retry`.
        """
        self.retry(lambda: cursor.executemany(statement, parameters), statement)
        return True

    def _holders(self, statement: str) -> list[str]:
        try:
            with self.engine.connect() as connection:
                return [_described(row) for row in dialect.lock_holders(connection, statement)]
        except SQLAlchemyError:
            # Not everybody may ask, and the question is not worth a failure.
            return []

    def _given_up(self, statement: str, attempts: int, holders: list[str]) -> Unavailable:
        shown = " ".join(statement.split())
        shown = f"{shown[:_SHOWN]}…" if len(shown) > _SHOWN else shown
        held_by = f"It is held by {'; '.join(holders)}." if holders else dialect.HOLDER_UNKNOWN
        return Unavailable(
            f"the migration did not get a lock, {attempts} times for {self.seconds:g} s ({shown}). {held_by} "
            f"{dialect.LEFT_WITHOUT_LOCK} Run it again when the lock is free."
        )


def _described(holder: dict[str, object]) -> str:
    """Return a few words about a session: its number, and what is known of it."""
    known = [f"{name} {value}" for name, value in holder.items() if value not in {None, ""}]
    return ", ".join(known)
