"""The unit of work: services run inside one, flush, and never commit."""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import URL, Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.core import context
from app.core.settings import Settings
from app.db import dialect
from app.db.constraints import explaining
from app.db.joint import joint
from app.db.outcomes import commit, translated
from app.db.pools import watch_pool
from app.db.roles import Role
from app.db.url import database_read_url, database_url

P = ParamSpec("P")
T = TypeVar("T")
# There are as many connections as threads. Who waits longer, while a thread is kept, finds the service overloaded.
_SECONDS_FOR_A_CONNECTION = 2.0


def make_engine(url: URL, settings: Settings, role: Role, **options: Any) -> Engine:  # noqa: ANN401 - create_engine's
    """Return an engine for `role`; it connects when first used."""
    engine = create_engine(
        url,
        # Parameters hold what customers sent; they have no place in a traceback.
        hide_parameters=True,
        connect_args=dialect.connect_arguments(url, role, settings.request_timeout_seconds),
        **dialect.POOL_OPTIONS,
        **options,
    )
    dialect.prepare(engine, role, settings)
    event.listen(engine, "before_cursor_execute", _check_deadline)
    if role == "write":
        event.listen(engine, "handle_error", _note_read_only)
    return engine


def _check_deadline(*_: object) -> None:
    context.check_deadline()


def _note_read_only(failure: ExceptionContext) -> None:
    """Discard connections to a read-only server: after a failover, another server is the primary."""
    error = failure.sqlalchemy_exception
    if isinstance(error, DBAPIError) and dialect.is_read_only(error):
        failure.is_disconnect = True


class Database:
    """Two units of work over two connection pools.

    `read` runs in autocommit, on the replica if there is one; `read_latest` never goes to the replica; `write` runs
    in one transaction that is committed before it returns. All block: an asynchronous framework calls them in a
    thread.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        pool: dict[str, Any] = {
            "pool_size": settings.database_pool_size,
            "max_overflow": 0,
            "pool_timeout": min(_SECONDS_FOR_A_CONNECTION, settings.request_timeout_seconds),
        }
        self.size = settings.database_pool_size
        self.writer = make_engine(database_url(settings), settings, "write", **pool, **dialect.WRITE_OPTIONS)
        # In autocommit there is nothing to roll back when a connection returns: one round trip less a request.
        reading: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
        self.reader = make_engine(database_read_url(settings), settings, "read", **pool, **reading)
        # Without a replica the two are one.
        self.latest = self.reader
        if settings.database_read_url is not None:
            self.latest = make_engine(database_url(settings), settings, "read", **pool, **reading)
        watch_pool(self.writer, "write", self.size)
        watch_pool(self.latest, "read", self.size)
        if self.reader is not self.latest:
            watch_pool(self.reader, "replica", self.size)

    def read(self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `function(session, …)`, which only reads.

        A connection that the server closed in the meantime is replaced once, which is cheaper than asking each
        time whether it is still there.

        Raises:
            Unavailable: the database is away.
            RequestTimeout: the request has used up its time.
        """
        return self._read(self.reader, lambda session: function(session, *args, **kwargs))

    def read_latest(self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `function(session, …)`, which only reads and must not see a stale replica.

        Raises:
            Unavailable: the database is away.
            RequestTimeout: the request has used up its time.
        """
        return self._read(self.latest, lambda session: function(session, *args, **kwargs))

    def _read(self, engine: Engine, function: Callable[[Session], T]) -> T:
        shared = joint.get()
        with translated():
            if shared is not None and shared.has_written(self):
                return shared.read(function)
            try:
                return _within(engine, function)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                context.check_deadline()
                return _within(engine, function)

    def write(self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `function(session, …)` after its changes are committed; on an exception none of them are.

        A transaction that lost a deadlock, or its connection before the commit, is run again, so `function` must have
        no other effects.

        Raises:
            Unavailable: the database is away, takes no changes, or was lost while it committed, as the message says.
            RequestTimeout: the request has used up its time; its message says whether something may have been written.
        """
        with translated():
            for is_second in (False, True):
                try:
                    return self._write(function, *args, **kwargs)
                except DBAPIError as error:
                    if not (error.connection_invalidated or dialect.is_retryable(error)):
                        raise
                    # A second connection may lead to the new primary; a third one would not help.
                    if is_second and dialect.is_read_only(error):
                        raise
                context.check_deadline()
            return self._write(function, *args, **kwargs)

    def _write(self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        shared = joint.get()
        if shared is not None and shared.takes_part(self):
            return shared.write(self, lambda session: function(session, *args, **kwargs))
        session = Session(self.writer, expire_on_commit=False)
        with session, explaining(session, {}):
            result = function(session, *args, **kwargs)
            session.flush()
            commit(session)
            return result

    def is_writable(self) -> bool:
        """Return whether the database that is written to takes changes.

        Raises:
            Unavailable: it is away.
            RequestTimeout: the request has used up its time.
        """
        return self._read(self.writer, dialect.is_writable)

    def dispose(self) -> None:
        """Close all connections: idle ones now, and one that is in use as soon as its unit of work has ended."""
        for engine in {self.writer, self.reader, self.latest}:
            pool = engine.pool
            engine.dispose()
            # A request that ran out of time may still hold one, which would go back to a pool that nobody has any more.
            event.listen(pool, "checkin", _close)


def _close(_: object, record: ConnectionPoolEntry) -> None:
    record.invalidate()


def _within(engine: Engine, function: Callable[[Session], T]) -> T:
    with Session(engine, autoflush=False) as session:
        return function(session)
