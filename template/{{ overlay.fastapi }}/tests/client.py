"""The service, called in process."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.docs import all_routes
from app.api.routing import ContractRoute
from app.auth.policy import Access
from app.core.settings import Settings
from app.http.openapi import finish
from app.main import create_app
from tests.asgi import client_of

Planted = tuple[str, str, Callable[..., Any]]
"""A method, a path like `/things/{thing_id}`, and an endpoint of a test."""


@contextmanager
def open_client(settings: Settings, planted: Sequence[Planted] = ()) -> Generator[httpx2.Client]:
    """Yield a client of a service with `settings`, and with the endpoints `planted`."""
    app = create_app(settings)
    app.include_router(_router(planted))
    with client_of(app) as client:
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
