"""The service, called in process."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

import httpx2
from flask import Flask
from werkzeug.test import run_wsgi_app

from app.api.docs import all_operations, document
from app.api.routing import Router
from app.auth.policy import Access
from app.core.settings import Settings
from app.main import create_app

Planted = tuple[str, str, Callable[..., Any]]
"""A method, a path like `/things/{thing_id}`, and an endpoint of a test."""


class _Transport(httpx2.BaseTransport):
    """Calls the application as a server would (PEP 3333); the library's own takes no header twice, and ASCII only."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": request.url.path.encode().decode("latin-1"),
            "QUERY_STRING": request.url.query.decode("latin-1"),
            "wsgi.input": BytesIO(request.read()),
            "wsgi.input_terminated": True,
        }
        for name, value in request.headers.raw:
            key = name.decode("ascii").upper().replace("-", "_")
            key, text = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}", value.decode("latin-1")
            environ[key] = f"{environ[key]},{text}" if key in environ else text
        setup_testing_defaults(environ)
        chunks, status, headers = run_wsgi_app(self.app, environ, buffered=True)
        return httpx2.Response(int(status[:3]), headers=list(headers), content=b"".join(chunks))


@contextmanager
def open_client(settings: Settings, planted: Sequence[Planted] = ()) -> Generator[httpx2.Client]:
    """Yield a client of a service with `settings`, and with the endpoints `planted`."""
    with (
        open_application(settings) as app,
        httpx2.Client(transport=_Transport(app), base_url="http://localhost") as client,
    ):
        app.register_blueprint(_router(planted))
        # Every test says itself what it accepts and who it is.
        client.headers.clear()
        yield client


@contextmanager
def open_application(settings: Settings) -> Generator[Flask]:
    """Yield a service with `settings`."""
    app = create_app(settings)
    yield app
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
