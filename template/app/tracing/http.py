"""Turns traces on where OTEL_EXPORTER_OTLP_ENDPOINT is set; OpenTelemetry is imported only then."""

from app.core.settings import Settings
from app.http.asgi import ASGIApp


def is_on(settings: Settings) -> bool:
    """Return whether traces are wanted."""
    return settings.otel_exporter_otlp_endpoint is not None and not settings.otel_sdk_disabled


def middleware(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Return `app` with a span around each request; `app` itself where traces are off."""
    if not is_on(settings):
        return app
    from app.tracing.middleware import TracingMiddleware  # noqa: PLC0415 - takes half a second, for nothing if it is off

    return TracingMiddleware(app, settings)
