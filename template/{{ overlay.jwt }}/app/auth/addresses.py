"""Addresses of users: how they are compared, who has one, and who proves one.

With AUTH_EMAIL_PROOF an address counts once it is proved: by a token that was sent there, together with the password.
Neither alone is enough, so nobody gains by a message that somebody else opens (`docs/authentication.md`).
"""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import one_time
from app.auth.settings import AuthSettings
from app.core import clock
from app.core.composed import composed
from app.core.errors import Forbidden
from app.core.failures.accounts import EmailTaken, InvalidToken
from app.db.constraints import Explanations, explaining
from app.db.models.users import User
from app.observability.security_log import record, record_once_committed

_BROKEN: Final[Explanations] = {"uq_users_email_key": InvalidToken}


class Message(NamedTuple):
    """A token, and the address to send it to."""

    address: str
    token: str


def folded(email: str) -> str:
    """Return `email` as it is compared: without its case, and however its letters are composed (NFC)."""
    return composed(composed(email).casefold())


def is_one_mailbox(one: str, other: str) -> bool:
    """Return whether mail to one address gets to the other: the case of ASCII letters alone is no difference."""
    return one.encode().lower() == other.encode().lower()


def holder(session: Session, email: str) -> User | None:
    """Return the user with `email`, in whatever case, locked until the transaction ends."""
    # Not by the address in one step: some databases lock the gap where nobody has it.
    found = session.scalar(select(User.id).where(User.email_key == folded(email)))
    return None if found is None else session.scalar(select(User).where(User.id == found).with_for_update())


def gives_way(settings: AuthSettings, user: User, email: str) -> bool:
    """Return whether somebody else may have `email`, which `user` has: only where `user` has not proved it.

    An operator's word for a user counts as well: one who was disabled or has a role keeps the address.
    """
    is_open = settings.auth_email_proof and user.email_proven_at is None
    return is_open and user.disabled_at is None and not user.roles and is_one_mailbox(email, user.email)


def require_free(session: Session, settings: AuthSettings, email: str, *, but: UUID | None = None) -> None:
    """Check that no user but the one called `but` has `email`, or that the one who has it gives way.

    Raises:
        EmailTaken: somebody has it, in whatever case.
    """
    user = session.scalar(select(User).where(User.email_key == folded(email)))
    if user is not None and user.id != but and not gives_way(settings, user, email):
        raise EmailTaken


def proof_token(session: Session, user_id: UUID, email: str, seconds: int, most: int) -> Message | None:
    """Return a new token with which the user proves `email`: the address that the account has, or shall have.

    None if that is done, or the user has `most` of them already.
    """
    user = session.get(User, user_id)
    if user is None or one_time.count(session, user.id, "proof") >= most:
        return None
    is_new = not is_one_mailbox(email, user.email)
    if not is_new and user.email_proven_at is not None:
        return None
    return Message(email, one_time.issue(session, user, "proof", seconds, email if is_new else ""))


def prove(session: Session, settings: AuthSettings, token: str, password_changed_at: datetime) -> None:
    """Note that the address which `token` was sent to is its user's; a new one takes the place of the old one.

    Raises:
        InvalidToken: it is unknown, was used, or has expired; or somebody else has proved the address.
        Forbidden: the password is no longer that of `password_changed_at`.
    """
    user = one_time.take(session, token, "proof")
    if user.password_changed_at != password_changed_at:
        record("authn_login_fail", account=user.email, user=user.id)
        raise Forbidden
    about = {"account": user.email, "user": user.id, "is_proven": True}
    email = one_time.address_in(token)
    if email:
        _move(session, settings, user, email)
        about["new_account"] = email
    user.updated_at = user.email_proven_at = clock.now()
    record_once_committed(session, "user_updated", **about)
    with explaining(session, _BROKEN):
        session.flush()


def _move(session: Session, settings: AuthSettings, user: User, email: str) -> None:
    other = holder(session, email)
    if other is not None and other.id != user.id:
        if not gives_way(settings, other, email):
            raise InvalidToken
        record_once_committed(session, "user_deleted", account=other.email, user=other.id)
        session.delete(other)
        session.flush()
    # Those for a new password were sent to the old address.
    one_time.forget(session, user.id)
    user.email, user.email_key = email, folded(email)
