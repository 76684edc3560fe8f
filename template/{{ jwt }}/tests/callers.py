"""Callers, each signed in as a user."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import sessions, tokens, users
from app.auth.passwords import passwords_for
from app.db.database import Database
from app.db.models.users import User

_SETTINGS: Final[dict[str, Any]] = {
    # Tests sign in often.
    "auth_password_memory_kib": 64,
    "auth_password_iterations": 1,
    "rate_limit_enabled": False,
}

SIGN_IN: Final[frozenset[str]] = frozenset({"/v1/users", "/v1/auth/token", "/v1/auth/refresh", "/v1/auth/logout"})
"""The public paths that give out credentials."""

OWN: Final[frozenset[str]] = frozenset({"/v1/users/me"})
"""The paths about the caller itself, for which no scope or role is needed."""

PASSWORD: Final = "correct horse battery staple"
"""The password of every caller."""

_HOUR: Final = timedelta(hours=1)


def headers_for(
    database: Database, subject: str, scopes: Sequence[str] = (), roles: Sequence[str] = ()
) -> dict[str, str]:
    """Return the headers with which the user called `subject` calls, granted `scopes` and `roles`."""
    email, password_hash = f"{subject}@example.com", passwords_for(database.settings).hash(PASSWORD)
    ongoing = database.write(_signed_in, email, password_hash, list(scopes), list(roles))
    token = tokens.issue(database.settings, ongoing.user_id, ongoing.session_id)
    return {"Authorization": f"Bearer {token}"}


def _signed_in(
    session: Session, email: str, password_hash: str, scopes: list[str], roles: list[str]
) -> sessions.Ongoing:
    if session.scalar(select(User.id).where(User.email == email)) is None:
        users.create(session, email, password_hash)
    user = session.scalars(select(User).where(User.email == email)).one()
    user.roles = roles
    session.flush()
    ongoing = sessions.start(session, user.id, user.password_changed_at, scopes, _HOUR)
    assert ongoing is not None
    return ongoing


def style_settings() -> AbstractContextManager[dict[str, Any]]:
    """Yield what the settings of the tests have beside those of every service."""
    return nullcontext(_SETTINGS)
