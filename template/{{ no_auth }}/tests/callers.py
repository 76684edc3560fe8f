"""Callers: whoever calls is anonymous and may do everything."""

from collections.abc import Sequence
from typing import Any, Final

from app.db.database import Database

SETTINGS: Final[dict[str, Any]] = {}
"""What the settings of the tests have beside those of every service."""


def headers_for(
    _database: Database, _subject: str, _scopes: Sequence[str] = (), _roles: Sequence[str] = ()
) -> dict[str, str]:
    """Return the headers with which `subject` calls."""
    return {}
