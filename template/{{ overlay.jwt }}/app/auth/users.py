"""Users in the database: made, found and changed by themselves."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import one_time, sessions
from app.auth.addresses import Message, folded, gives_way, holder, is_one_mailbox, require_free
from app.auth.principal import Principal
from app.auth.settings import AuthSettings
from app.core import clock
from app.core.errors import Forbidden, NotFound, Unauthenticated
from app.core.failures.accounts import EmailTaken, InvalidToken
from app.core.ids import new_id
from app.db.constraints import Explanations, explaining
from app.db.models.users import User
from app.observability.security_log import record, record_once_committed

# Somebody may take the address after it was looked up.
_BROKEN: Final[Explanations] = {"uq_users_email_key": EmailTaken}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDetails:
    """A user, without what nobody is shown."""

    id: UUID
    email: str
    roles: list[str]
    created_at: datetime


class Secret(NamedTuple):
    """What a password is verified against, and which password that is."""

    user_id: UUID
    email: str
    password_hash: str
    password_changed_at: datetime


def create(session: Session, email: str, password_hash: str) -> UserDetails:
    """Return the new user, who has no role.

    Raises:
        EmailTaken: somebody has the address, in whatever case.
    """
    now = clock.now()
    user = User(
        id=new_id(),
        email=email,
        email_key=folded(email),
        password_hash=password_hash,
        password_changed_at=now,
        roles=[],
        scopes=None,
        created_at=now,
        updated_at=now,
    )
    session.add(user)
    with explaining(session, _BROKEN):
        session.flush()
    record_once_committed(session, "user_created", account=email, user=user.id)
    return _details(user)


def register(session: Session, settings: AuthSettings, email: str, password_hash: str) -> UserDetails:
    """Return the user who registers: a new one, or the one who has the address and gives way, with this password.

    Raises:
        EmailTaken: somebody has the address, in whatever case.
    """
    user = holder(session, email)
    if user is None:
        return create(session, email, password_hash)
    if not gives_way(settings, user, email):
        raise EmailTaken
    user.email = email
    _set_password(session, user, password_hash)
    session.flush()
    return _details(user)


def secret_of(session: Session, email: str) -> Secret | None:
    """Return what the user with `email` signs in with, None if there is no such user."""
    return _secret(session.scalar(select(User).where(User.email_key == folded(email))))


def own_secret(session: Session, caller: Principal) -> Secret | None:
    """Return what the caller signs in with."""
    return _secret(session.get(User, UUID(caller.subject)))


def proof_secret(session: Session, token: str) -> Secret | None:
    """Return what the user whose `token` proves an address signs in with.

    Raises:
        InvalidToken: it is unknown, was used, or has expired.
    """
    return _secret(session.get(User, one_time.owner(session, token, "proof")))


def me(session: Session, caller: Principal) -> UserDetails:
    """Return the user who calls.

    Raises:
        Unauthenticated: there is no such user any more.
    """
    user = session.get(User, UUID(caller.subject))
    if user is None:
        raise Unauthenticated
    return _details(user)


def update_me(
    session: Session,
    settings: AuthSettings,
    caller: Principal,
    verified: Secret,
    email: str | None,
    password_hash: str | None,
) -> UserDetails:
    """Return the caller after the change; with a new password, all sessions but the caller's end.

    `verified` is what the caller has proved to know. With AUTH_EMAIL_PROOF the address stays until `email` is proved.

    Raises:
        EmailTaken: somebody else has the address, in whatever case.
        Forbidden: the password was changed in the meantime.
    """
    user = session.scalar(select(User).where(User.id == verified.user_id).with_for_update())
    if user is None or user.password_changed_at != verified.password_changed_at:
        record("authn_password_change_fail", user=verified.user_id)
        raise Forbidden
    user.updated_at = clock.now()
    if email is not None:
        _change_address(session, settings, user, email)
    if password_hash is not None:
        _set_password(session, user, password_hash, keep=caller.session)
        one_time.forget(session, user.id)
    with explaining(session, _BROKEN):
        session.flush()
    return _details(user)


def reset_password(session: Session, token: str, password_hash: str) -> None:
    """Set the password of the user whose `token` for that it is, and end all sessions of the user.

    The token was sent to the address, or given by an operator: so the address is proved, too.

    Raises:
        InvalidToken: it is unknown, was used, or has expired.
    """
    user = one_time.take(session, token, "reset")
    user.email_proven_at = user.email_proven_at or clock.now()
    _set_password(session, user, password_hash)
    one_time.forget(session, user.id)


def email_of(session: Session, token: str) -> str:
    """Return the address of the user whose `token` for a new password it is.

    Raises:
        InvalidToken: it is unknown, was used, or has expired.
    """
    user = session.get(User, one_time.owner(session, token, "reset"))
    if user is None:
        raise InvalidToken
    return user.email


def named(session: Session, email: str) -> User:
    """Return the user with `email`, locked until the transaction ends.

    Raises:
        NotFound: there is no such user.
    """
    user = holder(session, email)
    if user is None:
        raise NotFound(f"There is no user {email}.")
    return user


def reset_token(session: Session, email: str, seconds: int, most: int | None = None) -> Message | None:
    """Return a new token for a new password of the user with `email`, good for so many `seconds`.

    It goes to the address that is stored, since others can compare as the same. None if the user has `most` of them
    already.

    Raises:
        NotFound: there is no such user, or the user is disabled.
    """
    user = named(session, email)
    if user.disabled_at is not None:
        raise NotFound(f"{email} is disabled.")
    if most is not None and one_time.count(session, user.id, "reset") >= most:
        return None
    return Message(user.email, one_time.issue(session, user, "reset", seconds))


def _change_address(session: Session, settings: AuthSettings, user: User, email: str) -> None:
    # Only the address that was asked for last can be proved.
    one_time.forget(session, user.id, "proof")
    is_moved = not is_one_mailbox(email, user.email)
    if is_moved and settings.auth_email_proof:
        require_free(session, settings, email, but=user.id)
        return
    record_once_committed(session, "user_updated", account=user.email, user=user.id, new_account=email)
    if is_moved:
        user.email_proven_at = None
        # They were sent to an address that may be somebody else's by now.
        one_time.forget(session, user.id)
    user.email, user.email_key = email, folded(email)


def _set_password(session: Session, user: User, password_hash: str, *, keep: UUID | None = None) -> None:
    record_once_committed(session, "authn_password_change", account=user.email, user=user.id)
    user.updated_at = clock.now()
    user.password_hash, user.password_changed_at = password_hash, user.updated_at
    sessions.end_all(session, user.id, keep=keep)


def _secret(user: User | None) -> Secret | None:
    return Secret(user.id, user.email, user.password_hash, user.password_changed_at) if user else None


def _details(user: User) -> UserDetails:
    return UserDetails(id=user.id, email=user.email, roles=user.roles, created_at=user.created_at)
