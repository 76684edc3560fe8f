"""What users do with their accounts: register, sign in, stay signed in, change themselves.

Passwords are hashed here, between two units of work: never while a transaction waits.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import Counter
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from app.auth import addresses, mail, sessions, tokens, users
from app.auth.passwords import passwords_for
from app.auth.principal import Principal
from app.auth.settings import AuthSettings
from app.auth.users import UserDetails
from app.auth.weak_passwords import require_strong
from app.core.errors import Detail, Forbidden, Invalid, NotFound, Unauthenticated
from app.db.database import Database
from app.observability.security_log import record
from app.schemas.users import if_address

_MOST_BY_MAIL: Final = 5

LOGINS: Final = Counter("auth_logins_total", "Attempts to sign in with a password.", ["outcome"])
# Shown as 0 before there was one, so that the first one is an increase.
_SUCCEEDED, _FAILED = LOGINS.labels("success"), LOGINS.labels("failure")


class UserChanges(TypedDict, total=False):
    """What users change of themselves, and the password that they have until then."""

    email: str
    password: str
    current_password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What goes on with a session: a token for the next `expires_in` seconds, and one for the next pair."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


def register(database: Database, email: str, password: str) -> UserDetails:
    """Return the new user, who has all scopes and no role.

    With AUTH_EMAIL_PROOF, the user proves the address before signing in. Until then anybody may register with it
    again, and the password of the last one counts. A user who has enough tokens gets no more.

    Raises:
        EmailTaken: somebody has the address, in whatever case.
        Invalid: the password is one that is tried first.
    """
    require_strong(password, email)
    database.read_latest(addresses.require_free, database.settings, email)
    password_hash = passwords_for(database.settings).hash(password)
    user, proof = database.write(_register, database.settings, email, password_hash)
    _send_proof(proof)
    return user


def sign_in(database: Database, email: str, password: str, scopes: Sequence[str] | None = None) -> Tokens:
    """Return the tokens of a new session, whose rights stay within `scopes`; without, they are all that the user has.

    An unknown user and a wrong password take the same way and the same work.

    Raises:
        Unauthenticated: there is no such user, the password is another, or the user may not sign in.
    """
    settings = database.settings
    known = database.read_latest(users.secret_of, email)
    verdict = passwords_for(settings).verify(password, known.password_hash if known else None)
    if known is None or not verdict.is_right:
        _FAILED.inc()
        record("authn_login_fail", account=if_address(email), user=known.user_id if known else None)
        raise Unauthenticated
    if verdict.new_hash:
        database.write(sessions.store_hash, known.user_id, known.password_hash, verdict.new_hash)
    session = database.write(sessions.start, settings, known.user_id, known.password_changed_at, scopes)
    if session is None:
        _FAILED.inc()
        record("authn_login_fail", account=if_address(email), user=known.user_id)
        raise Unauthenticated
    _SUCCEEDED.inc()
    return _pair(database, session)


def refresh(database: Database, refresh_token: str) -> Tokens:
    """Return the next tokens of the session.

    Raises:
        Unauthenticated: the refresh token is unknown, was used, or has expired. If it was used before, its session has
            ended, which is committed.
    """
    outcome = database.write(sessions.rotate, database.settings, refresh_token)
    if outcome is None:
        record("authn_login_fail", account=None)
        raise Unauthenticated
    return _pair(database, outcome)


def sign_out(database: Database, refresh_token: str) -> None:
    """End the session of the refresh token; do nothing if it has none."""
    database.write(sessions.end, refresh_token)


def update_me(database: Database, caller: Principal, changes: UserChanges) -> UserDetails:
    """Return the caller after `changes`; without any, nothing changes.

    With AUTH_EMAIL_PROOF, the address stays until the new one is proved.

    Raises:
        Invalid: the current password is needed and was not sent.
        Forbidden: it is wrong.
        EmailTaken: somebody else has the address, in whatever case.
    """
    email, password = changes.get("email"), changes.get("password")
    if email is None and password is None:
        return database.read_latest(users.me, caller)
    if "current_password" not in changes:
        raise Invalid(details=[Detail("current_password", "missing", "Field required")])
    passwords = passwords_for(database.settings)
    known = database.read_latest(users.own_secret, caller)
    if known is None or not passwords.verify(changes["current_password"], known.password_hash).is_right:
        record("authn_password_change_fail", user=caller.subject)
        raise Forbidden("The current password is wrong.")
    if password is not None:
        require_strong(password, email or known.email)
    password_hash = passwords.hash(password) if password is not None else None
    changed, proof = database.write(_change, database.settings, caller, known, email, password_hash)
    _send_proof(proof)
    return changed


def require_sender() -> None:
    """Check that this service sends mail.

    Raises:
        NotFound: it does not.
    """
    if mail.SENDER is None:
        raise NotFound


def send_reset(database: Database, email: str) -> None:
    """Send a token to the user with the address, if there is one.

    It takes longer where there is one: so call it after the answer, which tells nobody. A user who has enough tokens
    gets no more, so that nobody can fill the mailbox.
    """
    seconds = database.settings.auth_one_time_token_seconds
    with suppress(NotFound):
        message = database.write(users.reset_token, email, seconds, _MOST_BY_MAIL)
        if message is not None and mail.SENDER is not None:
            mail.SENDER.send_reset(*message)


def reset_password(database: Database, token: str, password: str) -> None:
    """Set the password of the user whose token it is, and end all sessions of the user.

    Raises:
        InvalidToken: it is unknown, was used, or has expired.
        Invalid: the password is one that is tried first.
    """
    email = database.read_latest(users.email_of, token)
    require_strong(password, email)
    password_hash = passwords_for(database.settings).hash(password)
    database.write(users.reset_password, token, password_hash)


def prove_email(database: Database, token: str, password: str) -> None:
    """Note that the address which `token` was sent to belongs to its user, who can sign in with it from now on.

    Raises:
        InvalidToken: the token is unknown, was used, or has expired; or somebody else has proved the address.
        Forbidden: the user has another password.
    """
    known = database.read_latest(users.proof_secret, token)
    if known is None or not passwords_for(database.settings).verify(password, known.password_hash).is_right:
        record("authn_login_fail", account=known.email if known else None, user=known.user_id if known else None)
        raise Forbidden("The password is wrong.")
    database.write(addresses.prove, database.settings, token, known.password_changed_at)


def _register(
    session: Session, settings: AuthSettings, email: str, password_hash: str
) -> tuple[UserDetails, addresses.Message | None]:
    user = users.register(session, settings, email, password_hash)
    return user, _proof(session, settings, user, email)


def _change(
    session: Session,
    settings: AuthSettings,
    caller: Principal,
    known: users.Secret,
    email: str | None,
    password_hash: str | None,
) -> tuple[UserDetails, addresses.Message | None]:
    user = users.update_me(session, settings, caller, known, email, password_hash)
    return user, _proof(session, settings, user, email) if email is not None else None


def _proof(session: Session, settings: AuthSettings, user: UserDetails, email: str) -> addresses.Message | None:
    if not settings.auth_email_proof:
        return None
    return addresses.proof_token(session, user.id, email, settings.auth_one_time_token_seconds, _MOST_BY_MAIL)


def _send_proof(message: addresses.Message | None) -> None:
    # Without a sender, AUTH_EMAIL_PROOF stops the start.
    if message is not None and mail.SENDER is not None:
        mail.SENDER.send_proof(*message)


def _pair(database: Database, session: sessions.Ongoing) -> Tokens:
    settings = database.settings
    return Tokens(
        access_token=tokens.issue(settings, session.user_id, session.session_id),
        refresh_token=session.refresh_token,
        expires_in=settings.auth_access_token_seconds,
    )
