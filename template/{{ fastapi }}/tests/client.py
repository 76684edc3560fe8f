"""The service, called in process."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2
from fastapi import APIRouter
from starlette.testclient import TestClient

from app.api.routing import ContractRoute
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


def declared_access() -> dict[str, Any]:
    """Return what each operation asks of its caller, by its id."""
    from app.api.docs import all_routes  # noqa: PLC0415

    return {str(route.operation_id): route.access for route in all_routes() if isinstance(route, ContractRoute)}
