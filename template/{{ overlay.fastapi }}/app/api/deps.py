"""Dependencies of endpoints, each as an annotated type."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Concatenate, ParamSpec, TypeVar

from fastapi import Depends, Header, Request
from sqlalchemy.orm import Session

from app.api.threads import Threads
from app.auth import scheme
from app.auth.identify import identify, identify_if_sent
from app.auth.principal import Credentials, Principal
from app.core.preconditions import Precondition
from app.db.database import Database
from app.http.conditional import precondition

P = ParamSpec("P")
T = TypeVar("T")


class AsyncDatabase:
    """The units of work for coroutines: one hop to a thread each.

    There are as many threads as connections, so that no thread waits for a connection while it blocks another.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.settings = database.settings
        self._threads = Threads(database.size, database.settings.max_queued_requests)

    async def read(self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `function(session, …)`, which only reads; see `Database.read`."""
        return await self.call(partial(self.database.read, function, *args, **kwargs))

    async def read_latest(self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `function(session, …)`, which only reads, never from the replica; see `Database.read_latest`."""
        return await self.call(partial(self.database.read_latest, function, *args, **kwargs))

    async def write(self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `function(session, …)` after its changes are committed; see `Database.write`."""
        return await self.call(partial(self.database.write, function, *args, **kwargs))

    async def run(self, function: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `function(database, …)`, which has units of work of its own."""
        return await self.call(partial(function, self.database, *args, **kwargs))

    async def call(self, function: Callable[[], T]) -> T:
        """Return `function()`, which blocks.

        Raises:
            Unavailable: too many requests wait for a thread.
        """
        return await self._threads.run(function)


# Dependencies are `async` even if short: FastAPI runs a plain function in a thread, for every request.


async def get_db(request: Request) -> AsyncDatabase:
    db: AsyncDatabase = request.state.db
    return db


async def get_caller(request: Request) -> Principal:
    caller: Principal = request.state.principal
    return caller


async def get_optional_caller(request: Request) -> Principal | None:
    """Return who sent the request, or None if no credentials were sent.

    Raises:
        Unauthenticated: they are not valid.
    """
    known: Principal | None = getattr(request.state, "principal", None)
    return known or await _identified(request, identify_if_sent)


async def identify_caller(request: Request) -> Principal:
    """Return who sent the request, and keep it for the endpoint.

    Raises:
        Unauthenticated: the credentials are missing or not valid.
    """
    request.state.principal = await _identified(request, identify)
    return await get_caller(request)


async def _identified(request: Request, function: Callable[[Database, Credentials], T]) -> T:
    credentials = Credentials.sent(request.headers.getlist(scheme.HEADER))
    db = await get_db(request)
    if scheme.BLOCKING:
        return await db.run(function, credentials)
    return function(db.database, credentials)


async def get_precondition(
    request: Request,
    _if_match: Annotated[str | None, Header(alias="If-Match", description="Only if this is the version.")] = None,
    _if_none_match: Annotated[
        str | None, Header(alias="If-None-Match", description="Only if this is not the version.")
    ] = None,
) -> Precondition:
    # The parameters are there for the documentation: a header may be sent in several lines.
    return precondition(request.headers.getlist("if-match"), request.headers.getlist("if-none-match"))


Db = Annotated[AsyncDatabase, Depends(get_db)]
Caller = Annotated[Principal, Depends(get_caller)]
OptionalCaller = Annotated[Principal | None, Depends(get_optional_caller)]
Expected = Annotated[Precondition, Depends(get_precondition)]

# The old name, for routes written before 0.5.0.
Work = Db
