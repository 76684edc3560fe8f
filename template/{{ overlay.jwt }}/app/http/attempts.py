"""Attempts to sign in: how large and how many they may be; their answers are not cached."""

from app.core import context
from app.core.settings import Settings
from app.db.database import Database
from app.http.account_limits import count_account, forgive_account
from app.http.bulkhead import Room
from app.schemas.auth import RefreshRequest, TokenPair, TokenRequest
from app.services import accounts

MAX_BODY = 8 * 1024
"""The largest body, in bytes, of requests about accounts: callers have not signed in, and all fields are short."""


def rate(settings: Settings) -> str:
    """Return how often a caller or an address may ask for each kind of thing about accounts."""
    return settings.rate_limit_login


def hashing(settings: Settings) -> Room:
    """Return how many requests may hash a password at once."""
    return Room(
        settings.auth_password_concurrency,
        settings.auth_password_queue,
        "Too many users are signing in. Try again shortly.",
    )


def exchange_password(database: Database, form: TokenRequest) -> TokenPair:
    """Return the tokens of a new session; see `accounts.sign_in`.

    Raises:
        TooManyRequests: there were too many attempts at this account from this address.
    """
    context.keep_private()
    count_account(database.settings, form.username)
    tokens = accounts.sign_in(database, form.username, form.password, form.scope.split() or None)
    forgive_account(database.settings, form.username)
    return TokenPair.of(tokens)


def exchange_refresh_token(database: Database, body: RefreshRequest) -> TokenPair:
    """Return the next tokens of the session; see `accounts.refresh`."""
    context.keep_private()
    return TokenPair.of(accounts.refresh(database, body.refresh_token))
