"""API keys in `X-API-Key`."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from app.auth import keys
from app.auth.principal import Credentials, Principal
from app.core import clock
from app.core.errors import RequestTimeout, Unauthenticated, Unavailable
from app.db.database import Database

SECURITY_SCHEMES: Final[dict[str, dict[str, Any]]] = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key of this service."},
}
HEADER: Final = "x-api-key"
CHALLENGE: Final = "ApiKey"
BLOCKING: Final = True

_PAUSE: Final = timedelta(minutes=1)
_log = structlog.get_logger("app.auth")


class _Notes:
    """Notes when keys were used. A database that takes no changes is no reason to refuse a request."""

    def __init__(self) -> None:
        self.paused_until: datetime | None = None

    def note_use(self, database: Database, key_id: UUID) -> None:
        now = clock.now()
        if self.paused_until is not None and now < self.paused_until:
            return
        try:
            database.write(keys.note_use, key_id)
        except (Unavailable, RequestTimeout) as error:
            self.paused_until = now + _PAUSE
            _log.warning("use of keys is not noted", reason=error.message, paused_seconds=_PAUSE.seconds)


_notes = _Notes()


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
        _notes.note_use(database, record.id)
    return Principal(record.owner, scopes=frozenset(record.scopes), roles=frozenset(record.roles))
