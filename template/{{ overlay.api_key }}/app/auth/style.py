"""API keys in `X-API-Key`."""

from typing import Any, Final

import click

from app.auth import keys
from app.auth.commands import keys_command
from app.auth.principal import Credentials, Principal
from app.core.errors import Unauthenticated
from app.core.settings import Settings
from app.db.database import Database

SECURITY_SCHEMES: Final[dict[str, dict[str, Any]]] = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key of this service."},
}
CHALLENGE: Final = "ApiKey"
COMMANDS: Final[tuple[click.Command, ...]] = (keys_command,)
BLOCKING: Final = True


def check(_settings: Settings) -> None:
    """Do nothing: this style has no settings, so none can be missing in production."""


def authenticate(database: Database, credentials: Credentials) -> Principal:
    """Return the owner of the key that was sent. Blocks while the database is asked.

    Raises:
        Unauthenticated: there is not exactly one key, or not a valid one.
    """
    if credentials.is_ambiguous or not credentials.api_key:
        raise Unauthenticated
    # Not from a replica: it may not know yet that a key was revoked.
    record = database.read_latest(keys.find, credentials.api_key[0])
    if keys.is_use_worth_noting(record):
        database.write(keys.note_use, record.id)
    return Principal(record.owner, scopes=frozenset(record.scopes), roles=frozenset(record.roles))
