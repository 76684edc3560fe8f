"""OpenID Connect: access tokens of an identity provider, in `Authorization: Bearer`."""

import os
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet, finalize

import click
import structlog
from httpx2 import URL

from app.auth.commands import oidc_command
from app.auth.discovery import problem_with_issuer, problem_with_url
from app.auth.principal import Credentials, Principal
from app.auth.provider import Provider
from app.auth.tokens import Refused
from app.auth.verifier import Verifier, make_provider, make_verifier
from app.core.errors import SettingsError, Unauthenticated
from app.core.peers import need_tls
from app.core.settings import Settings
from app.db.database import Database

SECURITY_SCHEMES: Final[dict[str, dict[str, Any]]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token for this service, from its identity provider.",
    },
}
CHALLENGE: Final = "Bearer"
COMMANDS: Final[tuple[click.Command, ...]] = (oidc_command,)
# Known keys take no time; for an unknown one, the provider is asked.
BLOCKING: Final = True

_log = structlog.get_logger("app.auth")
_verifiers: Final[WeakKeyDictionary[Database, Verifier | None]] = WeakKeyDictionary()
_providers: Final[WeakSet[Provider]] = WeakSet()


def check(settings: Settings) -> None:
    """Accept settings that name a provider that can be trusted or, outside production, none.

    Raises:
        SettingsError: tokens could not be checked, or not safely.
    """
    issuer, audience = settings.auth_oidc_issuer, settings.auth_oidc_audience
    is_needed = settings.is_production or any((issuer, audience, settings.auth_oidc_discovery_url))
    if is_needed and issuer is None:
        raise SettingsError(
            "AUTH_OIDC_ISSUER is not set. Set it to the URL of your identity provider, exactly as its tokens have it "
            "in iss, like https://id.example.com."
        )
    if is_needed and audience is None:
        raise SettingsError(
            "AUTH_OIDC_AUDIENCE is not set. Set it to the name that tokens for this service have in aud, "
            "like https://api.example.com."
        )
    if issuer is not None:
        _check_url("AUTH_OIDC_ISSUER", issuer, problem_with_issuer(issuer), settings)
    if (url := settings.auth_oidc_discovery_url) is not None:
        _check_url("AUTH_OIDC_DISCOVERY_URL", url, problem_with_url(url), settings)


def _check_url(name: str, value: str, problem: str | None, settings: Settings) -> None:
    if problem:
        raise SettingsError(f"{name} {problem}.")
    url = URL(value)
    if url.scheme != "https" and need_tls([url.host], settings):
        raise SettingsError(
            f"{name} must start with https:// in production, unless its host is this machine or in PLAINTEXT_HOSTS."
        )


def authenticate(database: Database, credentials: Credentials) -> Principal:
    """Return the caller that the token is about. Blocks while keys are fetched that are not known yet.

    Raises:
        Unauthenticated: there is not exactly one token, or not a valid one.
        Unavailable: the keys are not there, so the token cannot be checked now.
    """
    if credentials.is_ambiguous or not credentials.authorization:
        raise Unauthenticated
    verifier = _verifier(database)
    if verifier is None:
        raise Unauthenticated
    try:
        return verifier.principal(credentials.authorization[0])
    except Refused as refusal:
        _log.debug("token refused", reason=str(refusal))
        raise Unauthenticated from None


def _verifier(database: Database) -> Verifier | None:
    """Return what checks the tokens of this service in this process, None where no provider is set."""
    if database not in _verifiers:
        settings = database.settings
        provider = make_provider(settings)
        made = None if provider is None else make_verifier(settings, provider)
        # Two threads may come here at once; one of the two that they make is used.
        if _verifiers.setdefault(database, made) is made:
            if provider is None:
                _log.warning("every token is refused: AUTH_OIDC_ISSUER and AUTH_OIDC_AUDIENCE are not set")
            else:
                _providers.add(provider)
                # Its thread ends with the database; at the end of the process there is nothing to do.
                finalize(database, provider.close).atexit = False
    return _verifiers[database]


def _after_fork() -> None:
    for provider in _providers:
        provider.forget_thread()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
