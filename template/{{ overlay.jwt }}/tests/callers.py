"""Callers, each signed in as a user."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.auth import tokens, users
from app.auth.passwords import passwords_for
from app.core import clock
from app.core.ids import new_id
from app.db.database import Database
from app.db.models.users import User, UserSession

_SETTINGS: Final[dict[str, Any]] = {
    # Tests sign in often, and quickly.
    "auth_password_memory_kib": 64,
    "auth_password_iterations": 1,
    # What a second use does later.
    "auth_refresh_grace_seconds": 0,
}

SIGN_IN: Final[frozenset[str]] = frozenset(
    {
        "/v1/users",
        *(f"/v1/auth/{what}" for what in ("token", "refresh", "logout", "reset", "password", "proof")),
    }
)
"""The public paths for those who have no credentials yet, or no longer."""

OWN: Final[frozenset[str]] = frozenset({"/v1/users/me", "/v1/users/me/sessions", "/v1/users/me/sessions/{session_id}"})
"""The paths about the caller itself, for which no scope or role is needed."""

BROKEN_RULES: Final[frozenset[str]] = frozenset({"weak_password"})
"""The codes of details that refuse what the schemas allow."""

PASSWORD: Final = "correct horse battery staple"
"""The password of every caller."""

_HOUR: Final = timedelta(hours=1)


def headers_for(
    database: Database, subject: str, scopes: Sequence[str] = (), roles: Sequence[str] = ()
) -> dict[str, str]:
    """Return the headers with which the user called `subject` calls, granted `scopes` and `roles`."""
    email, password_hash = f"{subject}@example.com", passwords_for(database.settings).hash(PASSWORD)
    user_id, session_id = database.write(_signed_in, email, password_hash, list(scopes), list(roles))
    return {"Authorization": f"Bearer {tokens.issue(database.settings, user_id, session_id)}"}


def _signed_in(
    session: Session, email: str, password_hash: str, scopes: list[str], roles: list[str]
) -> tuple[UUID, UUID]:
    """Return the ids of the user and of a new session, which has no refresh token: tests call this often."""
    user_id = session.scalar(select(User.id).where(User.email == email))
    if user_id is None:
        user_id = users.create(session, email, password_hash).id
    session.execute(update(User).where(User.id == user_id).values(roles=roles))
    now = clock.now()
    ongoing = UserSession(id=new_id(), user_id=user_id, scopes=scopes, created_at=now, expires_at=now + _HOUR)
    session.add(ongoing)
    return user_id, ongoing.id


def scheme_settings() -> AbstractContextManager[dict[str, Any]]:
    """Yield what the settings of the tests have beside those of every service."""
    return nullcontext(_SETTINGS)
