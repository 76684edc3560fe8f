"""Builds the application and serves it."""

from functools import cache

from flask import Flask

from app.api import docs
from app.api.errors import add_error_handlers
from app.api.routes import routers
from app.api.routing import ServiceRoutes, check_contract
from app.api.wsgi import Service, WSGIAdapter
from app.core import features
from app.core.settings import Settings, get_settings
from app.db.database import Database
from app.http import server
from app.http.asgi import ASGIApp
from app.http.middleware import ContextMiddleware, GuardMiddleware
from app.observability.logging import configure_logging


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application, set up by `settings` or else by the environment.

    What surrounds it, ids, limits and headers, comes with `create_asgi_app`.

    Raises:
        SettingsError: the settings do not say what is needed to serve.
    """
    settings = settings or get_settings()
    features.check(settings)
    configure_logging(settings.log_level, settings.personal_data_key, environment=settings.environment)
    app = build()
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.extensions["settings"] = settings
    app.extensions["database"] = Database(settings)
    app.extensions["openapi_json"] = openapi_json()
    return app


def create_asgi_app(app: Flask | None = None) -> ASGIApp:
    """Return what is served: `app`, or else a new one, with everything that surrounds it.

    Raises:
        SettingsError: the settings do not say what is needed to serve, or a route does not say who may call it.
    """
    app = app or create_app()
    settings: Settings = app.extensions["settings"]
    # Whoever built on `create_app` may have added routes.
    routes = app.extensions["routes"] = ServiceRoutes(app)
    routes.check()
    guarded: ASGIApp = GuardMiddleware(WSGIAdapter(app), settings, routes)
    for middleware in features.parts("http").values():
        guarded = middleware(guarded, settings)
    return ContextMiddleware(guarded, settings)


def create_worker_app() -> ASGIApp:
    """Return what a worker of the server serves.

    Raises:
        SettingsError: the settings do not say what is needed to serve, or a route does not say who may call it.
    """
    app = create_asgi_app()
    server.hold_stops()
    return app


@cache
def openapi_json() -> str:
    """Return the text of the OpenAPI document; needs no settings and no database."""
    return docs.serialized(build())


def build() -> Flask:
    """Return the application without what its settings decide: it has all routes, and answers nothing yet."""
    app = Service("app", static_folder=None)
    # Two slashes are not one, and nothing is redirected.
    app.url_map.merge_slashes = False
    app.before_request(check_contract)
    add_error_handlers(app)
    for router in (docs.router, *routers()):
        app.register_blueprint(router)
    app.extensions["routes"] = ServiceRoutes(app)
    return app


def serve(settings: Settings, *, reload: bool) -> None:
    """Serve requests until SIGTERM or SIGINT; see `server.run`.

    Raises:
        RouteError: a route does not say who may call it.
    """
    openapi_json()
    server.run("app.main:create_worker_app", settings, reload=reload)
