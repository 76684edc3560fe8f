"""What users do with their accounts: register, sign in, stay signed in, change themselves.

Passwords are hashed here, between two units of work: never while a transaction waits.
"""

from contextlib import suppress
from typing import Final

from sqlalchemy.orm import Session

from app.auth import mail, sessions, tokens, users
from app.auth.passwords import passwords_for
from app.auth.principal import Principal
from app.auth.weak_passwords import require_strong
from app.core.auth_settings import AuthSettings
from app.core.errors import Detail, Forbidden, Invalid, NotFound, Unauthenticated
from app.db.database import Database
from app.observability.security_log import record
from app.schemas.sign_in import (
    NewPasswordRequest,
    ProofRequest,
    RefreshRequest,
    ResetRequest,
    TokenPair,
    TokenRequest,
)
from app.schemas.users import UserCreate, UserRead, UserUpdate, if_address

_MOST_RESETS: Final = 5


def register(database: Database, data: UserCreate) -> UserRead:
    """Return the new user, who has all scopes and no role.

    With AUTH_EMAIL_PROOF, the user proves the address before signing in.

    Raises:
        EmailTaken: somebody has the address, in whatever case.
        Invalid: the password is one that is tried first.
    """
    require_strong(data.password, data.email)
    database.read_latest(users.require_free, data.email)
    password_hash = passwords_for(database.settings).hash(data.password)
    user, proof = database.write(_register, database.settings, data.email, password_hash)
    _send_proof(proof)
    return user


def sign_in(database: Database, request: TokenRequest) -> TokenPair:
    """Return the tokens of a new session.

    An unknown user and a wrong password take the same way and the same work.

    Raises:
        Unauthenticated: there is no such user, the password is another, or the user may not sign in.
    """
    settings = database.settings
    known = database.read_latest(users.secret_of, request.username)
    verdict = passwords_for(settings).verify(request.password, known.password_hash if known else None)
    if known is None or not verdict.is_right:
        record("authn_login_fail", account=if_address(request.username), user=known.user_id if known else None)
        raise Unauthenticated
    if verdict.new_hash:
        database.write(sessions.store_hash, known.user_id, known.password_hash, verdict.new_hash)
    scopes = request.scope.split() or None
    session = database.write(sessions.start, settings, known.user_id, known.password_changed_at, scopes)
    if session is None:
        record("authn_login_fail", account=if_address(request.username), user=known.user_id)
        raise Unauthenticated
    return _pair(database, session)


def refresh(database: Database, request: RefreshRequest) -> TokenPair:
    """Return the next tokens of the session.

    Raises:
        Unauthenticated: the refresh token is not good, or not any more. If it was used before, its session has
            ended, which is committed.
    """
    outcome = database.write(sessions.rotate, database.settings, request.refresh_token)
    if outcome is None:
        record("authn_login_fail", account=None)
        raise Unauthenticated
    return _pair(database, outcome)


def sign_out(database: Database, request: RefreshRequest) -> None:
    """End the session of the refresh token; do nothing if it has none."""
    database.write(sessions.end, request.refresh_token)


def update_me(database: Database, caller: Principal, data: UserUpdate) -> UserRead:
    """Return the caller after what was sent is changed.

    Raises:
        Invalid: the current password is needed and was not sent.
        Forbidden: it is wrong.
        EmailTaken: somebody else has the address, in whatever case.
    """
    email = data.email if "email" in data.model_fields_set else None
    password = data.password if "password" in data.model_fields_set else None
    if email is None and password is None:
        return database.read_latest(users.me, caller)
    if "current_password" not in data.model_fields_set:
        raise Invalid(details=[Detail("current_password", "missing", "Field required")])
    passwords = passwords_for(database.settings)
    known = database.read_latest(users.own_secret, caller)
    if known is None or not passwords.verify(data.current_password, known.password_hash).is_right:
        record("authn_password_change_fail", user=caller.subject)
        raise Forbidden("The current password is wrong.")
    if password is not None:
        require_strong(password, email or known.email)
    password_hash = passwords.hash(password) if password is not None else None
    changed, proof = database.write(_change, database.settings, caller, known, email, password_hash)
    _send_proof(proof)
    return changed


def request_reset(database: Database, request: ResetRequest) -> None:
    """Send a token to the user with the address, if there is one: nobody is told whether there is.

    A user who has enough of them gets no more, so that nobody can fill the mailbox.

    Raises:
        NotFound: this service sends nothing.
    """
    if mail.SENDER is None:
        raise NotFound
    seconds = database.settings.auth_one_time_token_seconds
    with suppress(NotFound):
        message = database.write(users.reset_token, request.email, seconds, _MOST_RESETS)
        if message is not None:
            mail.SENDER.send_reset(*message)


def reset_password(database: Database, request: NewPasswordRequest) -> None:
    """Set the password of the user whose token it is, and end all sessions of the user.

    Raises:
        InvalidToken: it is not good, or not any more.
        Invalid: the password is one that is tried first.
    """
    email = database.read_latest(users.email_of, request.token)
    require_strong(request.password, email)
    password_hash = passwords_for(database.settings).hash(request.password)
    database.write(users.reset_password, request.token, password_hash)


def prove_email(database: Database, request: ProofRequest) -> None:
    """Note that the address belongs to its user, who can sign in from now on.

    Raises:
        InvalidToken: the token is not good, or not any more.
    """
    database.write(users.prove_email, request.token)


def _register(
    session: Session, settings: AuthSettings, email: str, password_hash: str
) -> tuple[UserRead, users.Message | None]:
    user = users.create(session, email, password_hash)
    return user, _proof(session, settings, user)


def _change(
    session: Session,
    settings: AuthSettings,
    caller: Principal,
    known: users.Secret,
    email: str | None,
    password_hash: str | None,
) -> tuple[UserRead, users.Message | None]:
    user = users.update_me(session, caller, known, email, password_hash)
    return user, _proof(session, settings, user) if email is not None else None


def _proof(session: Session, settings: AuthSettings, user: UserRead) -> users.Message | None:
    seconds = settings.auth_one_time_token_seconds
    return users.proof_token(session, user.id, seconds) if settings.auth_email_proof else None


def _send_proof(message: users.Message | None) -> None:
    # Without a sender, AUTH_EMAIL_PROOF stops the start.
    if message is not None and mail.SENDER is not None:
        mail.SENDER.send_proof(*message)


def _pair(database: Database, session: sessions.Ongoing) -> TokenPair:
    settings = database.settings
    return TokenPair(
        access_token=tokens.issue(settings, session.user_id, session.session_id),
        refresh_token=session.refresh_token,
        expires_in=settings.auth_access_token_seconds,
    )
