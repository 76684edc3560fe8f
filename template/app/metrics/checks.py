"""What is checked before the start."""

from app.core.errors import SettingsError
from app.core.settings import Settings


def check(settings: Settings) -> None:
    """Return if there is something to show at METRICS_PORT, or that is not set.

    Raises:
        SettingsError: METRICS_ENABLED turns it off.
    """
    if settings.metrics_port is not None and not settings.metrics_enabled:
        raise SettingsError("METRICS_PORT is set, and METRICS_ENABLED is false: leave one of them out.")
