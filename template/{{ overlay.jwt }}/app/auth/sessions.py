"""Sessions: started by a password, kept up by refresh tokens, and ended.

The first refresh token of a session is 256 random bits, and each other is derived from the one before it with a secret
of this service. So one round of SHA-256 is enough to store them by. Each is good for one use. A
second use means that the token was stolen. Nobody can tell which of two users is the thief: both lose the session
(RFC 9700, 4.14.2).
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from sqlalchemy import CursorResult, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from app.auth.principal import Principal
from app.auth.random_tokens import hashed, made
from app.auth.settings import AuthSettings
from app.auth.tokens import Claims
from app.core import clock
from app.core.errors import NotFound, Unauthenticated
from app.core.ids import new_id
from app.core.scopes import SCOPES
from app.db.lists import ListQuery, PageT, paginate
from app.db.models.users import RefreshToken, User, UserSession
from app.observability.security_log import record_once_committed

_PREFIX: Final = "refresh_"

# One statement a request, built once.
_CURRENT: Final = (
    select(User.id, User.roles, User.scopes, User.email_proven_at, UserSession.scopes.label("asked"))
    .join(UserSession, UserSession.user_id == User.id)
    .where(
        UserSession.id == bindparam("session"),
        User.id == bindparam("user"),
        UserSession.revoked_at.is_(None),
        UserSession.expires_at > bindparam("now"),
        User.disabled_at.is_(None),
    )
)
# Since when a session is idle.
_LAST_USED: Final = func.coalesce(UserSession.last_used_at, UserSession.created_at)


class Ongoing(NamedTuple):
    """A session that goes on: whose it is, and its newest refresh token."""

    user_id: UUID
    session_id: UUID
    refresh_token: str


def principal(session: Session, settings: AuthSettings, claims: Claims) -> Principal:
    """Return the user whose session `claims` names, with what is granted to them at this moment.

    Raises:
        Unauthenticated: the session has ended, or is not that user's, or the user may not sign in.
    """
    parameters = {"session": claims.session_id, "user": claims.user_id, "now": clock.now()}
    row = session.execute(_CURRENT, parameters).one_or_none()
    if row is None or not _is_proved(settings, row.email_proven_at):
        raise Unauthenticated
    granted = frozenset(scope for scope in SCOPES if _has(row.scopes, scope) and _has(row.asked, scope))
    return Principal(str(row.id), scopes=granted, roles=frozenset(row.roles), session=claims.session_id)


def start(
    session: Session, settings: AuthSettings, user_id: UUID, password_changed_at: datetime, scopes: Sequence[str] | None
) -> Ongoing | None:
    """Return a new session of the user, whose rights stay within `scopes`; without, they are all that the user has.

    None if the password that was verified is no longer the user's, or the user may not sign in. Sessions that have
    expired are deleted, and of more than AUTH_SESSIONS_PER_USER those end that were not used for longest.
    """
    user = session.scalar(select(User).where(User.id == user_id).with_for_update())
    if user is None or user.password_changed_at != password_changed_at or not _may_sign_in(settings, user):
        return None
    now = clock.now()
    session.execute(delete(UserSession).where(UserSession.user_id == user_id, UserSession.expires_at <= now))
    _make_room(session, user_id, settings.auth_sessions_per_user - 1)
    started = UserSession(
        id=new_id(),
        user_id=user_id,
        scopes=None if scopes is None else sorted(scopes),
        created_at=now,
        expires_at=now + timedelta(seconds=settings.auth_session_seconds),
    )
    session.add(started)
    session.flush()
    record_once_committed(session, "authn_login_success", account=user.email, user=user_id, session_id=started.id)
    first = made(_PREFIX)
    return Ongoing(user_id, started.id, _stored(session, started.id, first))


def store_hash(session: Session, user_id: UUID, old_hash: str, new_hash: str) -> None:
    """Replace the hash of the same password by one with other parameters."""
    is_same = (User.id == user_id, User.password_hash == old_hash)
    session.execute(update(User).where(*is_same).values(password_hash=new_hash))


def rotate(session: Session, settings: AuthSettings, token: str) -> Ongoing | None:
    """Rotate `token`: return the session with its next refresh token, or None if `token` is not valid.

    It is not valid either when the session was idle for AUTH_SESSION_IDLE_SECONDS, or the user may not sign in.

    Two tabs of a browser, or a request that is sent again, use a token twice: within AUTH_REFRESH_GRACE_SECONDS they
    get the same next token. After that time, a second use revokes the session. The caller must let that be committed,
    so nothing is raised here.
    """
    found = session.execute(
        select(RefreshToken.id, RefreshToken.session_id).where(RefreshToken.token_hash == hashed(token))
    ).one_or_none()
    if found is None:
        return None
    # The row is locked, so a concurrent second use finds the token used.
    family = session.scalar(select(UserSession).where(UserSession.id == found.session_id).with_for_update())
    now = clock.now()
    if family is None or not _goes_on(session, settings, family, now):
        return None
    is_fresh = (RefreshToken.id == found.id, RefreshToken.used_at.is_(None))
    used = cast("CursorResult[Any]", session.execute(update(RefreshToken).where(*is_fresh).values(used_at=now)))
    about = {"user": family.user_id, "session_id": family.id}
    if used.rowcount == 1:
        family.last_used_at = now
        following = _stored(session, family.id, _following(settings.jwt_secrets[0], found.id, token))
    elif _is_in_grace(session, settings, found.id, now):
        following = _followed(session, settings, found.id, token)
    else:
        family.revoked_at = now
        record_once_committed(session, "authn_token_reuse", **about)
        return None
    if following is None:
        return None
    record_once_committed(session, "session_renewed", **about)
    return Ongoing(family.user_id, family.id, following)


def list_own(session: Session, settings: AuthSettings, caller: Principal, query: ListQuery[PageT]) -> PageT:
    """Return the page of the caller's sessions that go on; `is_current` is the one that asks.

    Raises:
        InvalidCursor: the cursor is not one of this list.
    """
    idle_since = clock.now() - timedelta(seconds=settings.auth_session_idle_seconds)
    going_on = (UserSession.revoked_at.is_(None), UserSession.expires_at > clock.now(), idle_since < _LAST_USED)
    statement = select(
        UserSession.id,
        UserSession.created_at,
        _LAST_USED.label("last_used_at"),
        UserSession.expires_at,
        (UserSession.id == caller.session).label("is_current"),
    ).where(UserSession.user_id == UUID(caller.subject), *going_on)
    return paginate(session, statement, UserSession, query, [caller.subject, "sessions"])


def end_own(session: Session, caller: Principal, session_id: UUID) -> None:
    """End one of the caller's sessions.

    Raises:
        NotFound: the caller has no such active session.
    """
    if not _revoke(session, UserSession.id == session_id, UserSession.user_id == UUID(caller.subject)):
        raise NotFound(f"Session {session_id} does not exist.")
    record_once_committed(session, "authn_token_revoked", user=caller.subject, session_id=session_id)


def forget_dead(session: Session, settings: AuthSettings) -> int:
    """Delete the sessions of all users that cannot go on, and return how many; tokens go with them."""
    idle_since = clock.now() - timedelta(seconds=settings.auth_session_idle_seconds)
    dead = or_(UserSession.expires_at <= clock.now(), UserSession.revoked_at <= idle_since, idle_since >= _LAST_USED)
    return cast("CursorResult[Any]", session.execute(delete(UserSession).where(dead))).rowcount


def end(session: Session, token: str) -> None:
    """End the session that `token`, used or not, belongs to; do nothing if there is none (RFC 7009, 2.2)."""
    found = select(RefreshToken.session_id).where(RefreshToken.token_hash == hashed(token))
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


def _make_room(session: Session, user_id: UUID, most: int) -> None:
    """End those of the user's sessions that were not used for longest, until there are `most`."""
    going_on = (UserSession.user_id == user_id, UserSession.revoked_at.is_(None))
    newest_first = select(UserSession.id).where(*going_on).order_by(_LAST_USED.desc(), UserSession.id.desc())
    surplus = session.scalars(newest_first).all()[most:]
    if surplus:
        _revoke(session, UserSession.id.in_(surplus))
        record_once_committed(session, "authn_token_revoked", user=user_id, sessions=len(surplus))


def _may_sign_in(settings: AuthSettings, user: User) -> bool:
    return user.disabled_at is None and _is_proved(settings, user.email_proven_at)


def _is_proved(settings: AuthSettings, proven_at: datetime | None) -> bool:
    return proven_at is not None or not settings.auth_email_proof


def _goes_on(session: Session, settings: AuthSettings, family: UserSession, now: datetime) -> bool:
    idle_since = now - timedelta(seconds=settings.auth_session_idle_seconds)
    is_over = family.revoked_at is not None or family.expires_at <= now
    if is_over or (family.last_used_at or family.created_at) <= idle_since:
        return False
    user = session.get(User, family.user_id)
    return user is not None and _may_sign_in(settings, user)


def _is_in_grace(session: Session, settings: AuthSettings, token_id: UUID, now: datetime) -> bool:
    used_at = session.scalar(select(RefreshToken.used_at).where(RefreshToken.id == token_id))
    return used_at is not None and now - used_at < timedelta(seconds=settings.auth_refresh_grace_seconds)


def _followed(session: Session, settings: AuthSettings, token_id: UUID, token: str) -> str | None:
    """Return the token that was given for `token` a moment ago; None if the secret that it came from is gone."""
    candidates = {hashed(each): each for each in (_following(key, token_id, token) for key in settings.jwt_secrets)}
    found = session.scalar(select(RefreshToken.token_hash).where(RefreshToken.token_hash.in_(candidates)))
    return candidates[found] if found else None


def _following(secret: str, token_id: UUID, token: str) -> str:
    """Return the token that comes after `token`. It takes the secret to derive it, and the id, which clients lack."""
    digest = hmac.digest(secret.encode(), f"refresh {token_id} {token}".encode(), "sha256")
    return _PREFIX + urlsafe_b64encode(digest).rstrip(b"=").decode()


def _stored(session: Session, session_id: UUID, token: str) -> str:
    session.add(RefreshToken(id=new_id(), session_id=session_id, token_hash=hashed(token), created_at=clock.now()))
    return token


def _has(bound: Sequence[str] | None, scope: str) -> bool:
    return bound is None or scope in bound
