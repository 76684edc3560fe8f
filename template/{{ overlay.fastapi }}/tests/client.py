"""The service, called in process."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.docs import all_routes
from app.api.routing import ContractRoute
from app.auth.policy import Access
from app.core.settings import Settings
from app.http.openapi import finish
from app.main import create_app

Planted = tuple[str, str, Callable[..., Any]]
"""A method, a path like `/things/{thing_id}`, and an endpoint of a test."""


class _Transport(httpx2.BaseTransport):
    """Hands a request over to the loop once; Starlette's client does so several times, which takes longer than most."""

    def __init__(self, app: FastAPI, portal: BlockingPortal) -> None:
        # Without an address, like the client of Flask.
        self.asgi = httpx2.ASGITransport(app, client=("", 0))
        self.loop = portal.call(asyncio.get_running_loop)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return asyncio.run_coroutine_threadsafe(self._answer(request), self.loop).result()

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        response = await self.asgi.handle_async_request(request)
        return httpx2.Response(response.status_code, headers=response.headers, content=await response.aread())


@contextmanager
def open_client(settings: Settings, planted: Sequence[Planted] = ()) -> Generator[httpx2.Client]:
    """Yield a client of a service with `settings`, and with the endpoints `planted`."""
    app = create_app(settings)
    app.include_router(_router(planted))
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.router.lifespan_context(app)),
        httpx2.Client(transport=_Transport(app, portal), base_url="http://localhost") as client,
    ):
        # Every test says itself what it accepts and who it is.
        client.headers.clear()
        yield client


@contextmanager
def open_application(settings: Settings) -> Generator[ASGIApp]:
    """Yield a service with `settings` for clients that would start and stop it again and again."""
    app = create_app(settings)

    async def without_lifespan(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await app(scope, receive, send)

    yield without_lifespan
    app.state.work.database.dispose()


def document_of(planted: Sequence[Planted]) -> dict[str, Any]:
    """Return how a service documents the endpoints `planted`."""
    app, router = FastAPI(), _router(planted)
    app.include_router(router)
    access = {str(route.operation_id): route.access for route in router.routes if isinstance(route, ContractRoute)}
    return finish(app.openapi(), access)


def routes() -> list[tuple[str, str, Access]]:
    """Return method, path and access of every documented operation."""
    return [
        (method, route.path, route.access)
        for route in all_routes()
        if isinstance(route, ContractRoute)
        for method in sorted(route.methods or ())
    ]


def _router(planted: Sequence[Planted]) -> APIRouter:
    router = APIRouter(route_class=ContractRoute)
    for method, path, endpoint in planted:
        router.add_api_route(path, endpoint, methods=[method])
    return router
