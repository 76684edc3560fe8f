"""What keeps the service from starting."""

from app.core.errors import SettingsError
from app.core.settings import Settings


def check(settings: Settings) -> None:
    """Return if the cache can be used.

    Raises:
        SettingsError: its URL is of another kind.
    """
    url = settings.cache_url
    if url is not None and not url.get_secret_value().startswith("redis://"):
        raise SettingsError("CACHE_URL must begin with redis://.")
