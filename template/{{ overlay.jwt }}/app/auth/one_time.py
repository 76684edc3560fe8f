"""Tokens that are good for one use within some time: to set a new password, to prove an address.

The token for an address that the account does not have yet names it, so nothing that nobody has proved is stored.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.auth.random_tokens import hashed, made
from app.core import clock
from app.core.failures.accounts import InvalidToken
from app.core.ids import new_id
from app.db.models.users import OneTimeToken, User
from app.observability.security_log import record_once_committed

Purpose = Literal["reset", "proof"]

_PREFIXES: Final[dict[Purpose, str]] = {"reset": "reset_", "proof": "proof_"}
_MARK: Final = "."


def issue(session: Session, user: User, purpose: Purpose, seconds: int, address: str = "") -> str:
    """Return a new token for `user`, good for so many `seconds`; it names `address` if there is one.

    Earlier tokens stay valid until one is used, so asking for more does not invalidate them.
    """
    token, now = made(_PREFIXES[purpose]), clock.now()
    if address:
        token += _MARK + urlsafe_b64encode(address.encode()).rstrip(b"=").decode()
    stored = OneTimeToken(
        id=new_id(),
        user_id=user.id,
        purpose=purpose,
        token_hash=hashed(token),
        created_at=now,
        expires_at=now + timedelta(seconds=seconds),
    )
    session.add(stored)
    session.flush()
    record_once_committed(session, "authn_token_created", account=user.email, user=user.id, purpose=purpose)
    return token


def address_in(token: str) -> str:
    """Return the address that `token` names, "" if it names none. The token must have been found valid."""
    return urlsafe_b64decode(token.partition(_MARK)[2] + "==").decode()


def count(session: Session, user_id: UUID, purpose: Purpose) -> int:
    """Return how many tokens of the user are good for `purpose`."""
    good = (OneTimeToken.user_id == user_id, OneTimeToken.purpose == purpose, OneTimeToken.expires_at > clock.now())
    return session.scalars(select(func.count()).select_from(OneTimeToken).where(*good)).one()


def owner(session: Session, token: str, purpose: Purpose) -> UUID:
    """Return the user whose `token` this is.

    Raises:
        InvalidToken: it is unknown, was used, or has expired; or the user is disabled.
    """
    found = session.scalar(
        select(OneTimeToken.user_id)
        .join(User, User.id == OneTimeToken.user_id)
        .where(
            OneTimeToken.token_hash == hashed(token),
            OneTimeToken.purpose == purpose,
            OneTimeToken.expires_at > clock.now(),
            User.disabled_at.is_(None),
        )
    )
    if found is None:
        raise InvalidToken
    return found


def take(session: Session, token: str, purpose: Purpose) -> User:
    """Use up `token` and return its user, locked. Of two concurrent calls only one succeeds.

    Raises:
        InvalidToken: as `owner` does.
    """
    user = session.scalar(select(User).where(User.id == owner(session, token, purpose)).with_for_update())
    # Another may have used it while this waited.
    if user is None or owner(session, token, purpose) != user.id:
        raise InvalidToken
    forget(session, user.id, purpose)
    return user


def forget(session: Session, user_id: UUID, *purposes: Purpose) -> None:
    """Delete the tokens of the user for these purposes, without any those for all."""
    which = [OneTimeToken.purpose.in_(purposes)] if purposes else []
    session.execute(delete(OneTimeToken).where(OneTimeToken.user_id == user_id, *which))


def forget_expired(session: Session) -> None:
    """Delete the tokens that are good for nothing any more."""
    session.execute(delete(OneTimeToken).where(OneTimeToken.expires_at <= clock.now()))
