"""Callers: whoever calls is anonymous and may do everything."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from app.db.database import Database

BROKEN_RULES: Final[frozenset[str]] = frozenset()
"""The codes of details that refuse what the schemas allow: none."""


def headers_for(
    _database: Database, _subject: str, _scopes: Sequence[str] = (), _roles: Sequence[str] = ()
) -> dict[str, str]:
    """Return the headers with which `subject` calls."""
    return {}


def scheme_settings() -> AbstractContextManager[dict[str, Any]]:
    """Yield what the settings of the tests have beside those of every service: nothing."""
    return nullcontext({})
