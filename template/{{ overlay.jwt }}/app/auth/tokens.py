"""Access tokens: JSON Web Tokens (RFC 7519), signed with a secret of this service and meant for it alone.

PyJWT checks the encoding, the signature, the issuer and the audience. What it is lenient about is checked here: it
takes any length, a member of the JSON twice (the last counts), any `typ` and other member of the header, and times
that are text, fractions or true.
"""

import hashlib
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import jwt

from app.auth.settings import LONGEST_ACCESS, AuthSettings
from app.core import clock
from app.core.errors import Unauthenticated

ALGORITHM: Final = "HS256"
TYPE: Final = "at+jwt"  # RFC 9068: an access token, and nothing else that might be signed some day
_LONGEST: Final = 2048
_CLAIMS: Final = {"iss": str, "aud": str, "sub": str, "sid": str, "jti": str, "iat": int, "nbf": int, "exp": int}
# The clocks of two hosts differ. A token is valid a little before it is made, and never after it expires.
_SKEW: Final = 30


class Claims(NamedTuple):
    """Who a token is for, the session that it belongs to, and when it expires (Unix seconds)."""

    user_id: UUID
    session_id: UUID
    expires_at: int


def issue(settings: AuthSettings, user_id: UUID, session_id: UUID) -> str:
    """Return a new access token, signed with the first of the secrets."""
    now = int(clock.now().timestamp())
    claims = {
        "iss": settings.jwt_issuer,
        "aud": settings.jwt_audience,
        "sub": str(user_id),
        "sid": str(session_id),
        "jti": str(uuid4()),
        "iat": now,
        "nbf": now - _SKEW,
        "exp": now + settings.auth_access_token_seconds,
    }
    secret = settings.jwt_secrets[0]
    return jwt.encode(claims, secret, ALGORITHM, headers={"typ": TYPE, "kid": key_id(secret)})


def read(settings: AuthSettings, token: str) -> Claims:
    """Return what `token` says, once all of it was checked; whether its session still lasts is not known here.

    Raises:
        Unauthenticated: it is not a valid token of this service; what is wrong with it is not said.
    """
    if len(token) > _LONGEST:
        raise Unauthenticated
    try:
        header, claims = _opened(token)
        jwt.decode(
            token,
            _secret(settings, header),
            algorithms=[ALGORITHM],
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            # Times are checked below, by this service's clock and as integers.
            options={
                "require": list(_CLAIMS),
                "strict_aud": True,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        _require_form(claims)
        _require_time(claims)
        return Claims(_uuid(claims["sub"]), _uuid(claims["sid"]), claims["exp"])
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise Unauthenticated from None


def key_id(secret: str) -> str:
    """Return the `kid` of a secret, which names it and does not tell it."""
    return hashlib.sha256(b"kid:" + secret.encode()).hexdigest()[:16]


def _opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims, from which nothing is believed before the signature is checked."""
    header, claims, _signature = token.split(".")
    return _object(header), _object(claims)


def _object(part: str) -> dict[str, Any]:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError(pairs)
        return found

    text = urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("utf-8")
    value = json.loads(text, object_pairs_hook=members)
    if not isinstance(value, dict):
        raise ValueError(value)  # noqa: TRY004 - of the token, not of our own code
    return value


def _secret(settings: AuthSettings, header: Mapping[str, Any]) -> str:
    """Return the secret that `header` names, if the header is one of ours in every member."""
    secrets = {key_id(secret): secret for secret in settings.jwt_secrets}
    key = header.get("kid")
    if not isinstance(key, str) or key not in secrets or header != {"alg": ALGORITHM, "typ": TYPE, "kid": key}:
        raise ValueError(header)
    return secrets[key]


def _require_form(claims: Mapping[str, Any]) -> None:
    for name, kind in _CLAIMS.items():
        # Not isinstance: true is an integer, too.
        if type(claims[name]) is not kind:
            raise ValueError(name)


def _require_time(claims: Mapping[str, Any]) -> None:
    now = clock.now().timestamp()
    if not claims["nbf"] <= now < claims["exp"] <= claims["nbf"] + LONGEST_ACCESS + _SKEW:
        raise ValueError(now)


def _uuid(text: str) -> UUID:
    value = UUID(text)
    if str(value) != text:
        raise ValueError(text)
    return value
