"""Signing in over HTTP: attempts are counted by the account, too, and no answer is kept."""

from app.core import context
from app.core.settings import Settings
from app.db.database import Database
from app.http.bulkhead import Room
from app.http.rate_limits import count_account, forgive_account
from app.schemas.sign_in import RefreshRequest, TokenPair, TokenRequest
from app.services import accounts

MAX_BODY = 8 * 1024
"""Bytes that a request about an account has at most: nobody is known yet, and no field is long."""


def hashing(settings: Settings) -> Room:
    """Return how many requests may hash a password at once."""
    return Room(
        settings.auth_password_concurrency,
        settings.auth_password_queue,
        "Too many users are signing in. Try again shortly.",
    )


def sign_in(database: Database, form: TokenRequest) -> TokenPair:
    """Return the tokens of a new session; see `accounts.sign_in`.

    Raises:
        TooManyRequests: too many have tried this account, from wherever, since its user last came in.
    """
    context.keep_private()
    count_account(database.settings, form.username)
    tokens = accounts.sign_in(database, form)
    forgive_account(database.settings, form.username)
    return tokens


def refresh(database: Database, body: RefreshRequest) -> TokenPair:
    """Return the next tokens of the session; see `accounts.refresh`."""
    context.keep_private()
    return accounts.refresh(database, body)
