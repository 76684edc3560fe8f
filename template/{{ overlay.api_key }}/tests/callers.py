"""Callers, each with an API key."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from app.auth import keys
from app.db.database import Database

SIGN_IN: Final[frozenset[str]] = frozenset()
"""The public paths that give out credentials, keys are made by admins."""

OWN: Final[frozenset[str]] = frozenset()
"""The paths about the caller itself, for which no scope or role is needed."""

BROKEN_RULES: Final[frozenset[str]] = frozenset()
"""The codes of details that refuse what the schemas allow: none."""


def headers_for(
    database: Database, subject: str, scopes: Sequence[str] = (), roles: Sequence[str] = ()
) -> dict[str, str]:
    """Return the headers with which `subject` calls, granted `scopes` and `roles`."""
    return {"X-API-Key": database.write(keys.create, keys.KeyGrant(owner=subject, scopes=scopes, roles=roles)).key}


def scheme_settings() -> AbstractContextManager[dict[str, Any]]:
    """Yield what the settings of the tests have beside those of every service: nothing."""
    return nullcontext({})
