"""No authentication: for a service that only a gateway can reach, which has checked every caller."""

from typing import Any, Final

import click

from app.auth.principal import Credentials, Principal
from app.core.scopes import SCOPES
from app.core.settings import Settings
from app.db.database import Database

SECURITY_SCHEMES: Final[dict[str, dict[str, Any]]] = {}
CHALLENGE: Final = ""
COMMANDS: Final[tuple[click.Command, ...]] = ()
BLOCKING: Final = False

_ANYBODY: Final = Principal("anonymous", scopes=frozenset(SCOPES))


def check(_settings: Settings) -> None:
    """Do nothing: this style has no settings, so none can be missing in production."""


def authenticate(_database: Database, _credentials: Credentials) -> Principal:
    """Return the anonymous principal, which has all scopes."""
    return _ANYBODY
