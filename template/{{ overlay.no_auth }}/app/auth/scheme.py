"""No authentication: for a service that only a gateway can reach, which has checked every caller."""

from typing import Any, Final

from app.auth.principal import Credentials, Principal
from app.core.scopes import SCOPES
from app.db.database import Database

SECURITY_SCHEMES: Final[dict[str, dict[str, Any]]] = {}
# No header says who calls.
HEADER: Final = ""
CHALLENGE: Final = ""
BLOCKING: Final = False

_ANYBODY: Final = Principal("anonymous", scopes=frozenset(SCOPES))


def authenticate(_database: Database, _credentials: Credentials) -> Principal:
    """Return the anonymous principal, which has all scopes."""
    return _ANYBODY
