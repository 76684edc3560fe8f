"""Signed tokens (RFC 7515, RFC 7519): told from what only looks like one, and checked by a key."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from jwt import PyJWS, PyJWTError

from app.auth.signing_keys import SigningKey
from app.auth.strict_json import read_object

# Servers take header lines of 8 KiB, some of them not one byte more.
MAX_LENGTH: Final = 8000
_MAX_KEY_ID: Final = 256
_BEARER: Final = re.compile(r"bearer +(?P<token>[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2})", re.IGNORECASE | re.ASCII)
# An access token (RFC 9068, 2.1) or one that does not say what it is. What says that it is another kind is refused.
_ACCESS_TYPES: Final = {"at+jwt", "application/at+jwt"}
_TYPES: Final = {"jwt", "application/jwt", *_ACCESS_TYPES}
_JWS: Final = PyJWS(options={"enforce_minimum_key_length": True})


class Refused(Exception):
    """A token does not open the service. The message is for the log; clients are not told."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token says about its own signature and type; nothing of it can be believed yet."""

    text: str
    algorithm: str
    key_id: str | None
    is_at_jwt: bool


def read_token(authorization: str, allowed: Collection[str], *, only_at_jwt: bool = False) -> Unverified:
    """Return the token in the value of an `Authorization` header (RFC 6750, 2.1).

    `allowed` are the algorithms that the operator permits; with `only_at_jwt`, a token must say in its header that it
    is an access token (RFC 9068, 4). Where to find a key is never taken from the token:
    `jku`, `x5u`, `jwk` and `x5c` are not looked at.

    Raises:
        Refused: this can be no token of ours, whoever signed it.
    """
    if len(authorization) > MAX_LENGTH + len("Bearer "):
        raise Refused("it is too long")
    form = _BEARER.fullmatch(authorization)
    if form is None:
        raise Refused("it is no signed token")
    header = _header(form["token"])
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in allowed:
        raise Refused("its algorithm is not allowed")
    if not (key_id is None or (isinstance(key_id, str) and len(key_id) <= _MAX_KEY_ID)):
        raise Refused("its key id is not valid")
    if not isinstance(kind, str) or kind.lower() not in (_ACCESS_TYPES if only_at_jwt else _TYPES):
        raise Refused("its type is not one of access tokens")
    if "crit" in header or "b64" in header:
        # RFC 7515, 4.1.11: what is critical and not understood makes a token invalid. Nothing is understood here.
        raise Refused("it has critical header members")
    return Unverified(form["token"], algorithm, key_id, kind.lower() in _ACCESS_TYPES)


def verified_claims(token: Unverified, key: SigningKey) -> dict[str, object]:
    """Return the claims of `token`, which `key` has signed.

    Raises:
        Refused: the signature is wrong, or the claims are not one JSON object.
    """
    try:
        payload = _JWS.decode(token.text, key.public, algorithms=[token.algorithm])
    except PyJWTError:
        raise Refused("its signature is wrong") from None
    try:
        return read_object(payload)
    except ValueError as error:
        raise Refused(f"its claims cannot be read: {error}") from None


def _header(token: str) -> dict[str, object]:
    encoded = token.partition(".")[0]
    try:
        return read_object(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except ValueError:
        raise Refused("its header cannot be read") from None
