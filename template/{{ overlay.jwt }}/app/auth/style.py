"""Users who sign in with a password, and then call with JSON Web Tokens."""

import re
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import click

from app.auth import mail, sessions, tokens
from app.auth.commands import users_command
from app.auth.principal import Credentials, Principal
from app.core.auth_settings import AuthSettings
from app.core.errors import SettingsError, Unauthenticated
from app.core.peers import need_tls
from app.core.scopes import SCOPES
from app.core.secret_strength import is_guessable
from app.core.settings import Settings
from app.db.database import Database

SECURITY_SCHEMES: Final[dict[str, dict[str, Any]]] = {
    "oauth2": {
        "type": "oauth2",
        "description": "Register with `POST /v1/users`, then sign in with that e-mail address as the username.",
        "flows": {"password": {"tokenUrl": "/v1/auth/token", "scopes": dict(SCOPES)}},
    },
}
CHALLENGE: Final = "Bearer"
COMMANDS: Final[tuple[click.Command, ...]] = (users_command,)
BLOCKING: Final = True

_BEARER: Final = re.compile(r"bearer +(?P<token>[A-Za-z0-9._-]+)", re.IGNORECASE | re.ASCII)
_HOW_TO_MAKE_ONE: Final = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


def check(settings: Settings) -> None:
    """Do nothing if these settings keep strangers out and can work; outside production nearly all do.

    Raises:
        SettingsError: one that production needs is missing or too weak.
    """
    if settings.auth_email_proof and mail.SENDER is None:
        raise SettingsError("AUTH_EMAIL_PROOF: nobody sends the tokens. Set SENDER in app/auth/mail.py first.")
    if not settings.is_production:
        return
    for name in ("auth_jwt_secret", "auth_jwt_issuer", "auth_jwt_audience"):
        if getattr(settings, name) is None:
            hint = f" To make one: {_HOW_TO_MAKE_ONE}" if name == "auth_jwt_secret" else ""
            raise SettingsError(f"{name.upper()} is not set, and production needs it.{hint}")
    _require_private_storage(settings)
    if any(is_guessable(secret) for secret in settings.jwt_secrets):
        raise SettingsError(f"AUTH_JWT_SECRET can be guessed, or is an example. To make one: {_HOW_TO_MAKE_ONE}")
    for name in ("auth_password_memory_kib", "auth_password_iterations"):
        least = AuthSettings.model_fields[name].default
        if getattr(settings, name) < least:
            raise SettingsError(f"{name.upper()} must be at least {least} in production.")


def _require_private_storage(settings: Settings) -> None:
    url = urlsplit(settings.rate_limit_storage_url.get_secret_value())
    options = parse_qs(url.query)
    # redis-py takes the host from either place.
    hosts = [url.hostname or "localhost", *options.get("host", [])]
    if url.scheme in {"memory", "redis+unix"} or not need_tls(hosts, settings):
        return
    if url.scheme != "rediss" or options.keys() & {"ssl_cert_reqs", "ssl_check_hostname"}:
        msg = (
            "RATE_LIMIT_STORAGE_URL: production verifies who the server is. Begin it with rediss:// and leave out "
            "ssl_cert_reqs and ssl_check_hostname, or name its host in PLAINTEXT_HOSTS if something else protects the "
            "connection."
        )
        raise SettingsError(msg)


def authenticate(database: Database, credentials: Credentials) -> Principal:
    """Return the user whose access token was sent. Blocks while the database is asked.

    One query a request, to the primary: what was revoked or granted a moment ago counts.

    Raises:
        Unauthenticated: there is not exactly one token, or not a valid one of a session that lasts.
    """
    if credentials.is_ambiguous or not credentials.authorization:
        raise Unauthenticated
    sent = _BEARER.fullmatch(credentials.authorization[0])
    if sent is None:
        raise Unauthenticated
    claims = tokens.read(database.settings, sent["token"])
    return database.read_latest(sessions.principal, claims)
