"""Builds the application and serves it."""

import asyncio
import signal
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from types import FrameType

import uvicorn
from fastapi import FastAPI

from app.api import docs
from app.api.deps import AsyncDatabase
from app.api.errors import add_error_handlers
from app.api.middleware import ContextMiddleware, GuardMiddleware
from app.api.routes import routers
from app.api.server import Protocol
from app.auth import style
from app.core import state
from app.core.settings import Settings, get_settings
from app.db.database import Database
from app.http.connections import KEEP_ALIVE_SECONDS
from app.observability.logging import configure_logging


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application, set up by `settings` or else by the environment.

    Raises:
        SettingsError: the settings do not say what is needed to serve.
    """
    settings = settings or get_settings()
    style.check(settings)
    configure_logging(settings.log_level)
    database = Database(settings)
    app = _build()
    app.state.settings = settings
    app.state.work = AsyncDatabase(database)
    app.state.openapi_json = openapi_json()
    app.add_middleware(GuardMiddleware, settings=settings, routes=docs.all_routes())
    app.add_middleware(ContextMiddleware, settings=settings)
    return app


@cache
def openapi_json() -> str:
    """Return the text of the OpenAPI document; needs no settings and no database."""
    return docs.serialized(_build())


def serve(settings: Settings, *, reload: bool) -> None:
    """Serve requests until SIGTERM or SIGINT, and finish those that are under way.

    Raises:
        SettingsError: the settings do not say what is needed to serve.
    """
    if not reload:
        # Workers are processes of their own: say here, once and in one sentence, what is wrong.
        Database(settings).dispose()
        style.check(settings)
    # Once it has stopped, uvicorn raises the signal again; stopping when asked to is a success.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        reload=reload,
        reload_dirs=["app"] if reload else None,
        http=Protocol,
        # There are none here: a request to upgrade is answered like any other (RFC 9110, 7.8).
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=int(settings.request_timeout_seconds) + 1,
    )


def _build() -> FastAPI:
    # Our own /openapi.json and /docs take the place of FastAPI's, which need the internet.
    app = FastAPI(openapi_url=None, redirect_slashes=False, lifespan=_lifespan)
    add_error_handlers(app)
    app.include_router(docs.router)
    for router in routers():
        app.include_router(router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    if threading.current_thread() is threading.main_thread():
        _drain_before_stopping(app.state.settings.shutdown_delay_seconds)
    yield
    app.state.work.database.dispose()


def _drain_before_stopping(delay: float) -> None:
    """Let /readyz say that this process goes, `delay` seconds before the server stops taking requests."""
    stop = signal.getsignal(signal.SIGTERM)
    loop = asyncio.get_running_loop()

    def drain(number: int, frame: FrameType | None) -> None:
        state.drain()
        if callable(stop):
            loop.call_soon_threadsafe(loop.call_later, delay, stop, number, frame)

    signal.signal(signal.SIGTERM, drain)
