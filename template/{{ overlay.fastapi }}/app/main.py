"""Builds the application and serves it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache

from fastapi import FastAPI

from app.api import docs
from app.api.deps import AsyncDatabase
from app.api.errors import add_error_handlers
from app.api.routes import routers
from app.auth import style
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
    style.check(settings)
    configure_logging(settings.log_level, settings.personal_data_key)
    database = Database(settings)
    app = _build()
    app.state.settings = settings
    app.state.work = AsyncDatabase(database)
    app.state.openapi_json = openapi_json()
    app.add_middleware(GuardMiddleware, settings=settings, methods_of=docs.methods_of, endpoints=docs.endpoints())
    app.add_middleware(ContextMiddleware, settings=settings)
    return app


@cache
def openapi_json() -> str:
    """Return the text of the OpenAPI document; needs no settings and no database."""
    return docs.serialized(_build())


def serve(settings: Settings, *, reload: bool) -> None:
    """Serve requests until SIGTERM or SIGINT; see `server.run`."""
    server.run("app.main:create_app", settings, reload=reload)


def _build() -> FastAPI:
    # Our own /openapi.json and /docs take the place of FastAPI's, which need the internet.
    app = FastAPI(openapi_url=None, redirect_slashes=False, lifespan=_lifespan)
    add_error_handlers(app, docs.methods_of)
    app.include_router(docs.router)
    for router in routers():
        app.include_router(router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    async with server.running(app.state.settings):
        yield
    app.state.work.database.dispose()
