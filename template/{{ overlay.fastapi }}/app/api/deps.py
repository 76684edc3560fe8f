"""What endpoints ask for, each named as a type."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Concatenate, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Header, Request
from sqlalchemy.orm import Session

from app.auth import style
from app.auth.identify import identify
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
        self._threads = CapacityLimiter(database.size)

    async def read(self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `function(session, …)`, which only reads; see `Database.read`."""
        return await self.call(partial(self.database.read, function, *args, **kwargs))

    async def read_latest(self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `function(session, …)`, which only reads, never from the replica; see `Database.read_latest`."""
        return await self.call(partial(self.database.read_latest, function, *args, **kwargs))

    async def write(self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `function(session, …)` after its changes are committed; see `Database.write`."""
        return await self.call(partial(self.database.write, function, *args, **kwargs))

    async def call(self, function: Callable[[], T]) -> T:
        """Return `function()`, which blocks on the database."""
        return await to_thread.run_sync(function, limiter=self._threads)


# Dependencies are coroutines, however short: FastAPI sends a plain function through a thread, at each request.


async def get_work(request: Request) -> AsyncDatabase:
    work: AsyncDatabase = request.app.state.work
    return work


async def get_caller(request: Request) -> Principal:
    caller: Principal = request.state.principal
    return caller


async def identify_caller(request: Request) -> Principal:
    """Return who sent the request, and keep it for the endpoint.

    Raises:
        Unauthenticated: the credentials are missing or not valid.
    """
    headers = request.headers
    credentials = Credentials.sent(headers.getlist("authorization"), headers.getlist("x-api-key"))
    work = await get_work(request)
    if style.BLOCKING:
        request.state.principal = await work.call(partial(identify, work.database, credentials))
    else:
        request.state.principal = identify(work.database, credentials)
    return await get_caller(request)


async def get_precondition(
    request: Request,
    _if_match: Annotated[str | None, Header(alias="If-Match", description="Only if this is the version.")] = None,
    _if_none_match: Annotated[
        str | None, Header(alias="If-None-Match", description="Only if this is not the version.")
    ] = None,
) -> Precondition:
    # The parameters are there for the documentation: a header may be sent in several lines.
    return precondition(request.headers.getlist("if-match"), request.headers.getlist("if-none-match"))


Work = Annotated[AsyncDatabase, Depends(get_work)]
Caller = Annotated[Principal, Depends(get_caller)]
Expected = Annotated[Precondition, Depends(get_precondition)]
