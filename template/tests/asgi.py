"""Calls a service in process, without a server."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from contextlib import contextmanager
from typing import Any

import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal

from app.http.asgi import ASGIApp


class _Transport(httpx2.BaseTransport):
    """A transport that enters the event loop once per request; frameworks' test clients do so several times."""

    def __init__(self, app: ASGIApp, portal: BlockingPortal) -> None:
        self.asgi = httpx2.ASGITransport(app, client=("", 0))
        self.loop = portal.call(asyncio.get_running_loop)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return asyncio.run_coroutine_threadsafe(self._answer(request), self.loop).result()

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        response = await self.asgi.handle_async_request(request)
        # As it was sent, encoded or not: the client decodes it.
        content = b"".join([part async for part in response.aiter_raw()])
        return httpx2.Response(response.status_code, headers=response.headers, content=content)


@contextmanager
def client_of(app: ASGIApp) -> Generator[httpx2.Client]:
    """Yield a client of `app`, which is started before and stopped after."""
    with (
        start_blocking_portal() as portal,
        _living(app, portal),
        httpx2.Client(transport=_Transport(app, portal), base_url="http://localhost") as client,
    ):
        # Every test says itself what it accepts and who it is.
        client.headers.clear()
        yield client


@contextmanager
def _living(app: ASGIApp, portal: BlockingPortal) -> Generator[None]:
    """Start and stop `app` as a server does (the lifespan protocol of ASGI)."""
    asked, done = (portal.call(asyncio.Queue) for _ in range(2))
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]] = asked.get

    async def live() -> None:
        try:
            await app({"type": "lifespan", "state": {}}, receive, done.put)
        finally:
            # If it has failed, it says nothing any more.
            await done.put({})

    life = portal.start_task_soon(live)
    for phase in ("startup", "shutdown"):
        portal.call(asked.put, {"type": f"lifespan.{phase}"})
        said = portal.call(done.get) or life.result()
        assert said == {"type": f"lifespan.{phase}.complete"}
        if phase == "startup":
            yield
    life.result()
