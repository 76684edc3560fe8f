"""Builds the application and serves it."""

from functools import cache

from flask import Flask
from werkzeug.serving import run_simple

from app.api import docs
from app.api.errors import add_error_handlers
from app.api.middleware import ContextMiddleware, Service, guard
from app.api.routes import routers
from app.api.server import QuietRequestHandler, Server
from app.auth import style
from app.core.settings import Settings, get_settings
from app.db.database import Database
from app.observability.logging import configure_logging


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application, set up by `settings` or else by the environment.

    Raises:
        SettingsError: the settings do not say what is needed to serve.
    """
    settings = settings or get_settings()
    style.check(settings)
    configure_logging(settings.log_level)
    app = Service("app", static_folder=None)
    app.extensions["settings"] = settings
    app.extensions["database"] = Database(settings)
    app.extensions["openapi_json"] = openapi_json()
    # Two slashes are not one, and nothing is redirected.
    app.url_map.merge_slashes = False
    app.before_request(guard)
    add_error_handlers(app)
    for router in (docs.router, *routers()):
        app.register_blueprint(router)
    app.wsgi_app = ContextMiddleware(app.wsgi_app, settings)
    return app


@cache
def openapi_json() -> str:
    """Return the text of the OpenAPI document; needs no settings and no database."""
    return docs.serialized()


def serve(settings: Settings, *, reload: bool) -> None:
    """Serve requests until SIGTERM, and finish those that are under way; SIGINT stops at once.

    Raises:
        SettingsError: the settings do not say what is needed to serve.
    """
    if reload:
        # Gunicorn's workers are copies of this process and would keep the modules that it has loaded.
        app = create_app(settings)
        run_simple(
            settings.host,
            settings.port,
            app,
            use_reloader=True,
            threaded=True,
            request_handler=QuietRequestHandler,
        )
        return
    # Workers are processes of their own: say here, once and in one sentence, what is wrong.
    configure_logging(settings.log_level)
    Database(settings).dispose()
    style.check(settings)
    Server(lambda: create_app(settings), settings).run()
