"""Builds the application and serves it."""

from functools import cache

from flask import Flask

from app.api import docs
from app.api.errors import add_error_handlers
from app.api.routes import routers
from app.api.wsgi import Service, WSGIAdapter
from app.auth import style
from app.core.settings import Settings, get_settings
from app.db.database import Database
from app.http import server
from app.http.middleware import ASGIApp, ContextMiddleware, GuardMiddleware
from app.observability.logging import configure_logging


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application, set up by `settings` or else by the environment.

    What surrounds it, ids, limits and headers, comes with `create_asgi_app`.

    Raises:
        SettingsError: the settings do not say what is needed to serve.
    """
    settings = settings or get_settings()
    style.check(settings)
    configure_logging(settings.log_level, settings.personal_data_key)
    app = Service("app", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.extensions["settings"] = settings
    app.extensions["database"] = Database(settings)
    app.extensions["openapi_json"] = openapi_json()
    # Two slashes are not one, and nothing is redirected.
    app.url_map.merge_slashes = False
    add_error_handlers(app)
    for router in (docs.router, *routers()):
        app.register_blueprint(router)
    return app


def create_asgi_app(app: Flask | None = None) -> ASGIApp:
    """Return what is served: `app`, or else a new one, with everything that surrounds it.

    Raises:
        SettingsError: the settings do not say what is needed to serve.
    """
    app = app or create_app()
    settings: Settings = app.extensions["settings"]
    guarded = GuardMiddleware(WSGIAdapter(app), settings, docs.methods_of(app), docs.endpoints())
    return ContextMiddleware(guarded, settings)


@cache
def openapi_json() -> str:
    """Return the text of the OpenAPI document; needs no settings and no database."""
    return docs.serialized()


def serve(settings: Settings, *, reload: bool) -> None:
    """Serve requests until SIGTERM or SIGINT; see `server.run`."""
    server.run("app.main:create_asgi_app", settings, reload=reload)
