"""Builds the application and serves it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache

from fastapi import Depends, FastAPI

from app.api import docs
from app.api.deps import AsyncDatabase
from app.api.errors import add_error_handlers, add_error_handlers_to_mounted
from app.api.routes import routers
from app.api.routing import ContractMiddleware, ServiceRoutes, require_what_was_checked
from app.core import features
from app.core.settings import Settings, get_settings
from app.db.database import Database
from app.http import server
from app.http.middleware import ContextMiddleware, GuardMiddleware
from app.observability.logging import configure_logging


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application, set up by `settings` or else by the environment.

    Raises:
        SettingsError: the settings do not say what is needed to serve.
    """
    settings = settings or get_settings()
    features.check(settings)
    configure_logging(settings.log_level, settings.personal_data_key, environment=settings.environment)
    database = Database(settings)
    app = build()
    app.state.settings = settings
    app.state.db = AsyncDatabase(database)
    app.state.openapi_json = openapi_json()
    app.state.routes = ServiceRoutes(app)
    app.add_middleware(ContractMiddleware, service=app)
    app.add_middleware(GuardMiddleware, settings=settings, routes=app.state.routes)
    for middleware in features.parts("http").values():
        app.add_middleware(middleware, settings=settings)
    app.add_middleware(ContextMiddleware, settings=settings)
    return app


def create_worker_app() -> FastAPI:
    """Return what a worker of the server serves.

    Raises:
        SettingsError: the settings do not say what is needed to serve.
    """
    app = create_app()
    server.hold_stops()
    return app


@cache
def openapi_json() -> str:
    """Return the text of the OpenAPI document; needs no settings and no database."""
    return docs.serialized(build())


def serve(settings: Settings, *, reload: bool) -> None:
    """Serve requests until SIGTERM or SIGINT; see `server.run`.

    Raises:
        RouteError: a route does not say who may call it.
    """
    openapi_json()
    server.run("app.main:create_worker_app", settings, reload=reload)


def build() -> FastAPI:
    """Return the application without what its settings decide: it has all routes, and answers nothing yet."""
    # Our own /openapi.json and /docs take the place of FastAPI's, which need the internet.
    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        # The names of the functions are those of the operations.
        generate_unique_id_function=lambda route: route.name,
        dependencies=[Depends(require_what_was_checked)],
        # Traces and metrics are made around the application: FastAPI's own would come a second time.
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    add_error_handlers(app)
    app.include_router(docs.router)
    for router in routers():
        app.include_router(router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    # Whoever built on `create_app` may have added routes.
    app.state.routes.check()
    add_error_handlers_to_mounted(app)
    async with server.running(app.state.settings):
        yield
    app.state.db.database.dispose()
