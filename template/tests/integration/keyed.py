"""An application behind idempotency keys, for whatever work."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager

import httpx2
from sqlalchemy import func, select

from app.core import context
from app.core.errors import AppError
from app.core.settings import Settings
from app.db.database import Database
from app.db.models.idempotency_keys import IdempotencyKey
from app.http.asgi import Receive, Scope, Send
from app.http.middleware import ContextMiddleware
from app.http.responses import error_response, send_error
from app.idempotency.http import middleware
from tests.asgi import client_of

Work = Callable[[], bytes | int | None]


class Service:
    """An application that does `work` for each request of "alice": its answer is what that returns, or a status."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.takes_key = True
        self.afterwards: Callable[[], object] = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{phase}.complete"})
            return
        current = context.current()
        assert current is not None
        current.principal, current.takes_key = "alice", self.takes_key
        while (await receive()).get("more_body", False):
            pass
        try:
            answer = await asyncio.to_thread(self.work)
        except AppError as error:
            await send_error(error_response(error), send)
            return
        status, body = (answer, b"") if isinstance(answer, int) else (200, answer or b"")
        await send({"type": "http.response.start", "status": status, "headers": [(b"x-work", b"done")]})
        await send({"type": "http.response.body", "body": body[:1000], "more_body": True})
        await send({"type": "http.response.body", "body": body[1000:], "more_body": False})
        await asyncio.to_thread(self.afterwards)


@contextmanager
def serving(settings: Settings, service: Service, **changes: object) -> Generator[httpx2.Client]:
    changed = settings.model_copy(update=changes)
    with client_of(ContextMiddleware(middleware(service, changed), changed)) as client:
        client.headers["Idempotency-Key"] = "one"
        yield client


def count(database: Database) -> int:
    return database.read(lambda session: session.scalars(select(func.count()).select_from(IdempotencyKey)).one())
