"""The service, called in process."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.docs import document
from app.api.routing import ServiceRoutes
from app.auth.policy import Access
from app.core.settings import Settings
from app.main import build, create_app
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
    app.state.db.database.dispose()


def document_of(planted: Sequence[Planted]) -> dict[str, Any]:
    """Return how a service documents the endpoints `planted`."""
    app = FastAPI(openapi_url=None, generate_unique_id_function=lambda route: route.name)
    app.include_router(_router(planted))
    return document(app, ServiceRoutes(app))


def routes(app: FastAPI | None = None) -> list[tuple[str, str, Access]]:
    """Return method, path and access of every operation."""
    return [(each.method, each.path, each.access) for each in ServiceRoutes(app or build()).contracts]


def _router(planted: Sequence[Planted]) -> APIRouter:
    router = APIRouter()
    for method, path, endpoint in planted:
        router.add_api_route(path, endpoint, methods=[method])
    return router
