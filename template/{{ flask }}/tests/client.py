"""The service, called in process."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2

from app.api.docs import all_operations, document
from app.api.routing import Router
from app.auth.policy import Access
from app.core.settings import Settings
from app.main import create_app

Endpoint = Callable[..., Any]


@contextmanager
def open_client(settings: Settings, planted: Sequence[tuple[str, Endpoint]] = ()) -> Generator[httpx2.Client]:
    """Yield a client of a service with `settings`, and with GET endpoints `planted` at their paths."""
    app = create_app(settings)
    router = Router("planted")
    for path, endpoint in planted:
        router.get(path)(endpoint)
    app.register_blueprint(router)
    with httpx2.Client(transport=httpx2.WSGITransport(app=app), base_url="http://localhost") as client:
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
