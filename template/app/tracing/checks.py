"""What is checked before the start."""

from urllib.parse import urlsplit

from app.core.errors import SettingsError
from app.core.peers import need_tls
from app.core.settings import Settings
from app.tracing.http import is_on


def check(settings: Settings) -> None:
    """Return if traces can be sent as the settings say, or are not wanted. Nothing is connected to.

    Raises:
        SettingsError: they cannot, or production would send secrets in plain text.
    """
    if not is_on(settings):
        return
    if settings.otel_exporter_otlp_traces_headers:
        raise SettingsError("OTEL_EXPORTER_OTLP_TRACES_HEADERS: write them to OTEL_EXPORTER_OTLP_HEADERS.")
    url = urlsplit(settings.otel_exporter_otlp_endpoint)
    if settings.otel_exporter_otlp_headers and url.scheme == "http" and need_tls([str(url.hostname)], settings):
        msg = (
            "OTEL_EXPORTER_OTLP_HEADERS: production keeps them secret. Begin OTEL_EXPORTER_OTLP_ENDPOINT with "
            "https://, or name its host in PLAINTEXT_HOSTS if something else protects the connection."
        )
        raise SettingsError(msg)
    from app.tracing.provider import make_provider  # noqa: PLC0415 - takes half a second, for nothing if it is off

    try:
        make_provider(settings).shutdown()
    except ValueError as error:
        # What the SDK reads from the environment itself.
        raise SettingsError(f"OTEL_…: {error}") from None
