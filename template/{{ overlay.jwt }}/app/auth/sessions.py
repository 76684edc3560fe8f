"""Sessions: started by a password, kept up by refresh tokens, and ended.

A refresh token is 256 random bits, so one round of SHA-256 is enough to store it by. Each is good for one use. A
second use means that two have it, of whom one has stolen it, and nobody can tell who: the session ends for both
(RFC 9700, 4.14.2).
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from sqlalchemy import CursorResult, bindparam, delete, select, update
from sqlalchemy.orm import Session

from app.auth.principal import Principal
from app.auth.tokens import Claims
from app.core import clock
from app.core.errors import Unauthenticated
from app.core.ids import new_id
from app.core.scopes import SCOPES
from app.db.models.users import RefreshToken, User, UserSession
from app.observability.security_log import record_once_committed

_PREFIX: Final = "refresh_"

# One statement a request, built once.
_CURRENT: Final = (
    select(User.id, User.roles, User.scopes, UserSession.scopes.label("asked"))
    .join(UserSession, UserSession.user_id == User.id)
    .where(
        UserSession.id == bindparam("session"),
        User.id == bindparam("user"),
        UserSession.revoked_at.is_(None),
        UserSession.expires_at > bindparam("now"),
    )
)


class Ongoing(NamedTuple):
    """A session that goes on: whose it is, and its newest refresh token."""

    user_id: UUID
    session_id: UUID
    refresh_token: str


def principal(session: Session, claims: Claims) -> Principal:
    """Return the user whose session `claims` names, with what is granted to them at this moment.

    Raises:
        Unauthenticated: the session has ended, or is not that user's.
    """
    parameters = {"session": claims.session_id, "user": claims.user_id, "now": clock.now()}
    row = session.execute(_CURRENT, parameters).one_or_none()
    if row is None:
        raise Unauthenticated
    granted = frozenset(scope for scope in SCOPES if _has(row.scopes, scope) and _has(row.asked, scope))
    return Principal(str(row.id), scopes=granted, roles=frozenset(row.roles), session=claims.session_id)


def start(
    session: Session, user_id: UUID, password_changed_at: datetime, scopes: Sequence[str] | None, lifetime: timedelta
) -> Ongoing | None:
    """Return a new session of the user, whose rights stay within `scopes`; without, they are all that the user has.

    None if the password that was verified is no longer the user's. Sessions that have expired are deleted.
    """
    user = session.scalar(select(User).where(User.id == user_id).with_for_update())
    if user is None or user.password_changed_at != password_changed_at:
        return None
    now = clock.now()
    session.execute(delete(UserSession).where(UserSession.user_id == user_id, UserSession.expires_at <= now))
    started = UserSession(
        id=new_id(),
        user_id=user_id,
        scopes=None if scopes is None else sorted(scopes),
        created_at=now,
        expires_at=now + lifetime,
    )
    session.add(started)
    session.flush()
    record_once_committed(session, "authn_login_success", account=user.email, user=user_id, session_id=started.id)
    return Ongoing(user_id, started.id, _new_token(session, started.id))


def store_hash(session: Session, user_id: UUID, old_hash: str, new_hash: str) -> None:
    """Replace the hash of the same password by one with other parameters."""
    is_same = (User.id == user_id, User.password_hash == old_hash)
    session.execute(update(User).where(*is_same).values(password_hash=new_hash))


def rotate(session: Session, token: str) -> Ongoing | None:
    """Return the session with its next refresh token; None if `token` is not good, or not any more.

    The session of a token that was used before is revoked. The caller must let that be committed, so nothing is
    raised here.
    """
    found = session.execute(
        select(RefreshToken.id, RefreshToken.session_id).where(RefreshToken.token_hash == _hash(token))
    ).one_or_none()
    if found is None:
        return None
    # One at a time: who comes second finds the token used.
    family = session.scalar(select(UserSession).where(UserSession.id == found.session_id).with_for_update())
    now = clock.now()
    if family is None or family.revoked_at is not None or family.expires_at <= now:
        return None
    is_fresh = (RefreshToken.id == found.id, RefreshToken.used_at.is_(None))
    used = cast("CursorResult[Any]", session.execute(update(RefreshToken).where(*is_fresh).values(used_at=now)))
    about = {"user": family.user_id, "session_id": family.id}
    if used.rowcount != 1:
        family.revoked_at = now
        record_once_committed(session, "authn_token_reuse", **about)
        return None
    record_once_committed(session, "session_renewed", **about)
    return Ongoing(family.user_id, family.id, _new_token(session, family.id))


def end(session: Session, token: str) -> None:
    """End the session that `token`, used or not, belongs to; do nothing if there is none (RFC 7009, 2.2)."""
    found = select(RefreshToken.session_id).where(RefreshToken.token_hash == _hash(token))
    session_id = session.scalar(found)
    if session_id is not None and _revoke(session, UserSession.id == session_id):
        record_once_committed(session, "authn_token_revoked", session_id=session_id)


def end_all(session: Session, user_id: UUID, *, keep: UUID | None = None) -> None:
    """End all sessions of the user but `keep`."""
    count = _revoke(session, UserSession.user_id == user_id, *([UserSession.id != keep] if keep else []))
    record_once_committed(session, "authn_token_revoked", user=user_id, sessions=count)


def _revoke(session: Session, *which: Any) -> int:  # noqa: ANN401 - SQLAlchemy's expressions
    """End the sessions that are `which`, and return how many went on until now."""
    ending = update(UserSession).where(*which, UserSession.revoked_at.is_(None)).values(revoked_at=clock.now())
    return cast("CursorResult[Any]", session.execute(ending)).rowcount


def _new_token(session: Session, session_id: UUID) -> str:
    token = _PREFIX + secrets.token_urlsafe(32)
    session.add(RefreshToken(id=new_id(), session_id=session_id, token_hash=_hash(token), created_at=clock.now()))
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _has(bound: Sequence[str] | None, scope: str) -> bool:
    return bound is None or scope in bound
