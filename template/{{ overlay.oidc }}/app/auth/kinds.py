"""Access tokens, told from the other tokens that a provider signs with the same keys."""

from collections.abc import Mapping
from typing import Final

from app.auth.tokens import Refused

# How Keycloak and Cognito call the kind of a token.
_NAMED: Final = {"typ": "bearer", "token_use": "access"}
# Of an ID token (OpenID Connect Core 1.0, 2 and 3.3.2.11), or of an event (RFC 8417).
_NEVER: Final = {"nonce", "at_hash", "c_hash", "s_hash", "events"}
# What was granted, and to which client: an ID token says neither. Okta has `scp` and `cid`, Entra ID the last two.
_GRANT: Final = {"scope", "scp", "client_id", "cid", "azpacr", "appidacr"}
# How somebody signed in, and who that is: what an ID token is for. `uti` is in all tokens of Entra ID.
_SIGN_IN: Final = {"auth_time", "acr", "amr", "sid", "uti"}
_PERSON: Final = {
    *("name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture"),
    *("website", "email", "email_verified", "gender", "birthdate", "zoneinfo", "locale", "phone_number"),
    *("phone_number_verified", "address", "updated_at"),
}


def check_kind(claims: Mapping[str, object], *, is_at_jwt: bool) -> None:
    """Let the claims of an access token for any bearer pass; `is_at_jwt` says what the token's header does.

    Only `at+jwt` is sure (RFC 9068). Most providers do not send it, so without it the claims decide.

    Raises:
        Refused: it is another kind of token, or only its holder may use it.
    """
    if not _is_access(claims, is_at_jwt=is_at_jwt):
        raise Refused("it is no access token")
    if "cnf" in claims:
        # Bound to a key of its holder (RFC 9449, RFC 8705), which a bearer does not have to prove.
        raise Refused("it is bound to a key")


def _is_access(claims: Mapping[str, object], *, is_at_jwt: bool) -> bool:
    named = [str(claims[name]).lower() == kind for name, kind in _NAMED.items() if name in claims]
    if named or is_at_jwt:
        return all(named)
    if claims.keys() & _NEVER:
        return False
    if claims.keys() & _GRANT:
        return True
    # The audience of an ID token is the client that it was made for, which `azp` names.
    is_for_its_client = "azp" in claims and claims.get("aud") in (claims["azp"], [claims["azp"]])
    return not is_for_its_client and not claims.keys() & (_SIGN_IN | _PERSON)
