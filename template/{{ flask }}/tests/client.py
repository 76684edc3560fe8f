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

Endpoint = Callable[..., Any]


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
def open_client(settings: Settings, planted: Sequence[tuple[str, Endpoint]] = ()) -> Generator[httpx2.Client]:
    """Yield a client of a service with `settings`, and with GET endpoints `planted` at their paths."""
    app = create_app(settings)
    router = Router("planted")
    for path, endpoint in planted:
        router.get(path)(endpoint)
    app.register_blueprint(router)
    with httpx2.Client(transport=_Transport(app), base_url="http://localhost") as client:
        # Every test says itself what it accepts and who it is.
        client.headers.clear()
        yield client
    app.extensions["database"].dispose()


def operation_of(endpoint: Endpoint) -> dict[str, Any]:
    """Return how the framework documents `endpoint`."""
    router = Router("planted")
    router.get("/planted")(endpoint)
    operation: dict[str, Any] = document(router.operations)["paths"]["/planted"]["get"]
    return operation


def routes() -> list[tuple[str, str, Access]]:
    """Return method, path and access of every documented operation."""
    return [(operation.method, operation.path, operation.access) for operation in all_operations()]
