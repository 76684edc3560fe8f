"""Callers, each signed in as a user."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import sessions, tokens, users
from app.core import clock
from app.db.database import Database
from app.db.models.users import User

SETTINGS: Final[dict[str, Any]] = {
    # Tests sign in often.
    "auth_password_memory_kib": 64,
    "auth_password_iterations": 1,
    "rate_limit_enabled": False,
}
"""What the settings of the tests have beside those of every service."""

SIGN_IN: Final[frozenset[str]] = frozenset({"/v1/users", "/v1/auth/token", "/v1/auth/refresh", "/v1/auth/logout"})
"""The public paths that give out credentials."""

OWN: Final[frozenset[str]] = frozenset({"/v1/users/me"})
"""The paths about the caller itself, for which no scope or role is needed."""

_HOUR: Final = timedelta(hours=1)


def headers_for(
    database: Database, subject: str, scopes: Sequence[str] = (), roles: Sequence[str] = ()
) -> dict[str, str]:
    """Return the headers with which the user called `subject` calls, granted `scopes` and `roles`."""
    begun = database.write(_signed_in, f"{subject}@example.com", list(scopes), list(roles))
    token = tokens.issue(database.settings, begun.user_id, begun.session_id)
    return {"Authorization": f"Bearer {token}"}


def _signed_in(session: Session, email: str, scopes: list[str], roles: list[str]) -> sessions.Begun:
    if session.scalar(select(User.id).where(User.email == email)) is None:
        users.create(session, email, "no password has this hash")
    user = session.scalars(select(User).where(User.email == email)).one()
    user.roles = roles
    session.flush()
    begun = sessions.begin(session, user.id, user.password_changed_at, scopes, _HOUR)
    assert begun is not None, clock.now()
    return begun
