"""How a unit of work ends: committed, or with what a client may know."""

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.core import context
from app.core.errors import Unavailable
from app.db import dialect

_READ_ONLY = "The database takes no changes at present. Try again shortly."
_UNKNOWN = "The database was lost while the change was committed. Look whether it was made before you try again."


@contextmanager
def translated() -> Generator[None]:
    """Turn what the driver raises into what a client may know."""
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable from error
    except IntegrityError:
        raise
    except DBAPIError as error:
        if dialect.is_timeout(error):
            raise context.timed_out() from error
        # What should only read and writes is a defect, where it goes to a replica, too.
        if error.connection_invalidated and dialect.is_read_only(error):
            raise Unavailable(_READ_ONLY) from error
        if error.connection_invalidated or dialect.is_unavailable(error):
            # It may be lost because the request has used up its time.
            context.check_deadline()
            raise Unavailable from error
        raise


def commit(session: Session) -> None:
    """Commit, unless the request has used up its time: then the client is told that nothing was written.

    Raises:
        RequestTimeout: it has.
        Unavailable: the database was lost in the middle, and may have committed.
    """
    context.check_deadline()
    context.note_write()
    try:
        session.commit()
    except DBAPIError as error:
        # To run it again could make the change twice.
        if error.connection_invalidated:
            raise Unavailable(_UNKNOWN) from error
        raise
