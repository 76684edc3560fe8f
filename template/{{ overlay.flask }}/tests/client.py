"""The service, called in process."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2

from app.api.docs import all_operations, document
from app.api.routing import Router
from app.auth.policy import Access
from app.core.settings import Settings
from app.http.middleware import ASGIApp, Receive, Scope, Send
from app.main import create_app, create_asgi_app
from tests.asgi import client_of

Planted = tuple[str, str, Callable[..., Any]]
"""A method, a path like `/things/{thing_id}`, and an endpoint of a test."""


@contextmanager
def open_client(settings: Settings, planted: Sequence[Planted] = ()) -> Generator[httpx2.Client]:
    """Yield a client of a service with `settings`, and with the endpoints `planted`."""
    app = create_app(settings)
    app.register_blueprint(_router(planted))
    with client_of(create_asgi_app(app)) as client:
        yield client


@contextmanager
def open_application(settings: Settings) -> Generator[ASGIApp]:
    """Yield a service with `settings` for clients that would start and stop it again and again."""
    app = create_app(settings)
    served = create_asgi_app(app)

    async def without_lifespan(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await served(scope, receive, send)

    yield without_lifespan
    app.extensions["database"].dispose()


def document_of(planted: Sequence[Planted]) -> dict[str, Any]:
    """Return how a service documents the endpoints `planted`."""
    return document(_router(planted).operations)


def routes() -> list[tuple[str, str, Access]]:
    """Return method, path and access of every documented operation."""
    return [(operation.method, operation.path, operation.access) for operation in all_operations()]


def _router(planted: Sequence[Planted]) -> Router:
    router = Router("planted")
    for method, path, endpoint in planted:
        register = getattr(router, method.lower())
        register(path.replace("{", "<").replace("}", ">"))(endpoint)
    return router
