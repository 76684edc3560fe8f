"""OpenID Connect: access tokens of an identity provider, in `Authorization: Bearer`."""

import os
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet, finalize

import structlog

from app.auth.principal import Credentials, Principal
from app.auth.provider import Provider
from app.auth.tokens import Refused
from app.auth.verifier import Verifier, make_provider, make_verifier
from app.core.errors import Unauthenticated
from app.db.database import Database

SECURITY_SCHEMES: Final[dict[str, dict[str, Any]]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token for this service, from its identity provider.",
    },
}
HEADER: Final = "authorization"
CHALLENGE: Final = "Bearer"
# Known keys take no time; for an unknown one, the provider is asked.
BLOCKING: Final = True

_log = structlog.get_logger("app.auth")
_verifiers: Final[WeakKeyDictionary[Database, Verifier | None]] = WeakKeyDictionary()
_providers: Final[WeakSet[Provider]] = WeakSet()


def authenticate(database: Database, credentials: Credentials) -> Principal:
    """Return the caller that the token is about. Blocks while keys are fetched that are not known yet.

    Raises:
        Unauthenticated: there is not exactly one token, or not a valid one.
        Unavailable: the keys are not there, so the token cannot be checked now.
    """
    verifier = _verifier(database)
    if verifier is None or not credentials.only:
        raise Unauthenticated
    try:
        return verifier.principal(credentials.only)
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
