"""Units of work of one request that are one transaction, where something asks for that."""

import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.errors import Unavailable
from app.db import dialect
from app.db.constraints import explaining
from app.db.outcomes import commit, translated

if TYPE_CHECKING:
    from app.db.database import Database

T = TypeVar("T")


class Joint:
    """Runs the units of work of one request in one transaction, until it is told how that ends.

    They may be in several threads, one at a time. A subclass says which take part.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._database: Database | None = None
        self._session: Session | None = None
        self._has_written = self._is_over = self._has_left = False

    def takes_part(self, database: "Database") -> bool:
        """Return whether the next unit of work of `database` belongs to the transaction."""
        return not self._has_left and self._database in {None, database}

    def prepare(self, database: "Database") -> None:
        """Do what has to be done before the first unit of work."""

    def has_written(self, database: "Database") -> bool:
        """Return whether there is something in `database` that only this transaction sees."""
        return self._has_written and not self._has_left and self._database is database

    def read(self, function: Callable[[Session], T]) -> T:
        """Return `function(session)`, which sees what was written."""
        with self._lock:
            return function(self._opened())

    def write(self, database: "Database", function: Callable[[Session], T]) -> T:
        """Return `function(session)`. What it raises undoes what it did, and no more."""
        with self._lock:
            if self._database is None:
                self.prepare(database)
                self._database = database
            session = self._opened()
            # Nothing was done before the first.
            part = session.begin_nested() if self._has_written else nullcontext()
            try:
                with explaining(session, {}), part:
                    result = function(session)
                    session.flush()
            except BaseException as error:
                self._undo_part(error)
                raise
            self._has_written = True
            return result

    def commit_with(self, function: Callable[[Session], object]) -> None:
        """Call `function(session)` as the last part, and commit. If that fails, nothing was done, or it is not known.

        Raises:
            AppError: it failed.
        """
        with self._lock:
            try:
                with translated():
                    session = self._opened()
                    function(session)
                    commit(session)
            finally:
                self.undo()
            self.leave()

    def undo(self) -> None:
        """End the transaction. What was not committed is undone, and units of work that still come are refused."""
        with self._lock:
            self._close()
            self._is_over = True

    def leave(self) -> None:
        """Let units of work that still come have transactions of their own."""
        self._has_left = True

    def _opened(self) -> Session:
        if self._is_over or self._database is None:
            raise Unavailable
        if self._session is None:
            self._session = Session(self._database.writer, expire_on_commit=False)
        return self._session

    def _undo_part(self, error: BaseException) -> None:
        if not self._has_written:
            self._close()
        elif isinstance(error, DBAPIError) and (error.connection_invalidated or dialect.is_retryable(error)):
            # What was done before is lost, too, and cannot be done again from here.
            self.undo()
            raise Unavailable from error

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(DBAPIError):
                session.close()


joint: ContextVar[Joint | None] = ContextVar("joint", default=None)
