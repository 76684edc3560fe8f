"""Users who sign in with a password, and then call with JSON Web Tokens."""

import re
from typing import Any, Final

from app.auth import sessions, tokens
from app.auth.principal import Credentials, Principal
from app.auth.recent import recent_callers
from app.core.errors import Unauthenticated
from app.core.scopes import SCOPES
from app.db.database import Database

SECURITY_SCHEMES: Final[dict[str, dict[str, Any]]] = {
    "oauth2": {
        "type": "oauth2",
        "description": "Register with `POST /v1/users`, then sign in with that e-mail address as the username.",
        "flows": {"password": {"tokenUrl": "/v1/auth/token", "scopes": dict(SCOPES)}},
    },
}
HEADER: Final = "authorization"
CHALLENGE: Final = "Bearer"
BLOCKING: Final = True

_BEARER: Final = re.compile(r"bearer +(?P<token>[A-Za-z0-9._-]+)", re.IGNORECASE | re.ASCII)


def authenticate(database: Database, credentials: Credentials) -> Principal:
    """Return the user whose access token was sent. Blocks while the database is asked.

    One query a request, to the primary: what was revoked or granted a moment ago counts. With
    AUTH_SESSION_CACHE_SECONDS, a process asks once in so many seconds.

    Raises:
        Unauthenticated: there is not exactly one token, or not a valid one of a session that lasts.
    """
    sent = _BEARER.fullmatch(credentials.only or "")
    if sent is None:
        raise Unauthenticated
    token, settings = sent["token"], database.settings
    recent = recent_callers(settings.auth_session_cache_seconds) if settings.auth_session_cache_seconds else None
    known = recent.find(token) if recent is not None else None
    if known is not None:
        return known
    claims = tokens.read(settings, token)
    principal = database.read_latest(sessions.principal, settings, claims)
    if recent is not None:
        recent.keep(token, principal, claims.expires_at)
    return principal
