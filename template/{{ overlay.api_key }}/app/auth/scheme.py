"""API keys in `X-API-Key`."""

from typing import Any, Final

from app.auth import keys
from app.auth.principal import Credentials, Principal
from app.core.errors import Unauthenticated
from app.db.database import Database

SECURITY_SCHEMES: Final[dict[str, dict[str, Any]]] = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key of this service."},
}
HEADER: Final = "x-api-key"
CHALLENGE: Final = "ApiKey"
BLOCKING: Final = True


def authenticate(database: Database, credentials: Credentials) -> Principal:
    """Return the owner of the key that was sent. Blocks while the database is asked.

    Raises:
        Unauthenticated: there is not exactly one key, or not a valid one.
    """
    if not credentials.only:
        raise Unauthenticated
    # Not from a replica: it may not know yet that a key was revoked.
    record = database.read_latest(keys.find, credentials.only)
    if keys.is_use_worth_noting(record):
        database.write(keys.note_use, record.id)
    return Principal(record.owner, scopes=frozenset(record.scopes), roles=frozenset(record.roles))
