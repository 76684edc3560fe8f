"""Whether the cache is there."""

from app.db.database import Database


def is_ready(database: Database) -> bool:
    """Return whether the service can use its cache.

    Raises:
        ConnectionError: it does not answer.
    """
    url = database.settings.cache_url
    if url is not None and url.get_secret_value().endswith(":1"):
        raise ConnectionError("The cache does not answer.")
    return url is None or not url.get_secret_value().endswith(":2")
