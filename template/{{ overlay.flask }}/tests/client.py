"""The service, called in process."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2
from flask import Flask

from app.api.docs import document
from app.api.routing import Router, ServiceRoutes
from app.auth.policy import Access
from app.core.settings import Settings
from app.http.asgi import ASGIApp, Receive, Scope, Send
from app.main import build, create_app, create_asgi_app
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
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(_router(planted))
    return document(app)


def routes(app: Flask | None = None) -> list[tuple[str, str, Access]]:
    """Return method, path and access of every operation."""
    return [(each.method, each.path, each.access) for each in ServiceRoutes(app or build()).all.values()]


def _router(planted: Sequence[Planted]) -> Router:
    router = Router("planted")
    for method, path, endpoint in planted:
        router.route(path.replace("{", "<").replace("}", ">"), methods=[method])(endpoint)
    return router
