"""What operators do with users: grant roles, limit scopes, end sessions, disable and delete."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.orm import Session

from app.auth import one_time, sessions
from app.auth.principal import ADMIN
from app.auth.users import named
from app.core import clock
from app.core.errors import NotFound
from app.db.models.users import User
from app.observability.security_log import record_once_committed

ROLES: Final = (ADMIN,)


def grant(session: Session, email: str, role: str) -> None:
    """Give the user with `email` a role, from the next request on.

    Raises:
        NotFound: there is no such user.
    """
    user = named(session, email)
    _set_roles(session, user, sorted({*user.roles, role}))


def revoke(session: Session, email: str, role: str) -> None:
    """Take a role from the user with `email`, from the next request on.

    Raises:
        NotFound: there is no such user, or the user does not have it.
    """
    user = named(session, email)
    if role not in user.roles:
        raise NotFound(f"{email} does not have the role {role}.")
    _set_roles(session, user, [each for each in user.roles if each != role])


def limit(session: Session, email: str, scopes: Sequence[str] | None) -> None:
    """Let the user with `email` have only `scopes`, from the next request on; all with None.

    Raises:
        NotFound: there is no such user.
    """
    user, limit_ = named(session, email), None if scopes is None else sorted(scopes)
    about = {"account": user.email, "user": user.id, "old_scopes": user.scopes, "new_scopes": limit_}
    record_once_committed(session, "authz_change", **about)
    user.scopes = limit_


def sign_out(session: Session, email: str) -> None:
    """End all sessions of the user with `email`.

    Raises:
        NotFound: there is no such user.
    """
    sessions.end_all(session, named(session, email).id)


def disable(session: Session, email: str) -> None:
    """Let the user with `email` neither sign in nor call any more; nothing of the user is deleted.

    Raises:
        NotFound: there is no such user.
    """
    user = named(session, email)
    user.disabled_at = user.disabled_at or clock.now()
    record_once_committed(session, "user_archived", account=user.email, user=user.id)
    sessions.end_all(session, user.id)
    one_time.forget(session, user.id)


def enable(session: Session, email: str) -> None:
    """Let the user with `email` sign in again.

    Raises:
        NotFound: there is no such user.
    """
    user = named(session, email)
    user.disabled_at = None
    record_once_committed(session, "user_updated", account=user.email, user=user.id, is_enabled=True)


def remove(session: Session, email: str) -> None:
    """Delete the user with `email`, with sessions and tokens; what the user owns stays.

    Raises:
        NotFound: there is no such user.
    """
    user = named(session, email)
    record_once_committed(session, "user_deleted", account=user.email, user=user.id)
    session.delete(user)


def _set_roles(session: Session, user: User, roles: list[str]) -> None:
    about = {"account": user.email, "user": user.id, "old_roles": user.roles, "new_roles": roles}
    record_once_committed(session, "authz_change", **about)
    user.roles = roles
