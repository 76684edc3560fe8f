"""The service, called in process."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2
from fastapi import APIRouter, FastAPI
from starlette.testclient import TestClient

from app.api.docs import all_routes
from app.api.routing import ContractRoute
from app.auth.policy import Access
from app.core.settings import Settings
from app.main import create_app

Endpoint = Callable[..., Any]


@contextmanager
def open_client(settings: Settings, planted: Sequence[tuple[str, Endpoint]] = ()) -> Generator[httpx2.Client]:
    """Yield a client of a service with `settings`, and with GET endpoints `planted` at their paths."""
    app = create_app(settings)
    router = APIRouter(route_class=ContractRoute)
    for path, endpoint in planted:
        router.add_api_route(path, endpoint)
    app.include_router(router)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        # Every test says itself what it accepts and who it is.
        client.headers.clear()
        yield client


def operation_of(endpoint: Endpoint) -> dict[str, Any]:
    """Return how the framework documents `endpoint`."""
    router = APIRouter(route_class=ContractRoute)
    router.add_api_route("/planted", endpoint)
    app = FastAPI()
    app.include_router(router)
    operation: dict[str, Any] = app.openapi()["paths"]["/planted"]["get"]
    return operation


def routes() -> list[tuple[str, str, Access]]:
    """Return method, path and access of every documented operation."""
    return [
        (method, route.path, route.access)
        for route in all_routes()
        if isinstance(route, ContractRoute)
        for method in sorted(route.methods or ())
    ]
