"""Access tokens of well-known providers are taken and their ID tokens refused, by what their documentation shows."""

from typing import Any

import pytest

from app.auth.kinds import check_kind
from app.auth.tokens import Refused

_API, _CLIENT = "https://api.example", "my-client"
_SIGNED_IN: dict[str, Any] = {"auth_time": 1, "acr": "1", "amr": ["pwd"], "sid": "s"}
_PERSON: dict[str, Any] = {"name": "Ada", "email": "ada@example.com", "preferred_username": "ada"}
_ENTRA: dict[str, Any] = {"ver": "2.0", "aud": "guid", "tid": "t", "oid": "o", "uti": "u", "rh": "r"}
_OKTA: dict[str, Any] = {"ver": 1, "jti": "AT.1", "aud": "api://default", "cid": _CLIENT, "scp": ["openid"]}

_ACCESS: dict[str, dict[str, Any]] = {
    "Keycloak": {"typ": "Bearer", "aud": ["api"], "azp": _CLIENT, "scope": "openid", **_SIGNED_IN, **_PERSON},
    "Keycloak, with a nonce": {"typ": "Bearer", "aud": "api", "azp": _CLIENT, "nonce": "n"},
    "Keycloak, for its own client": {"typ": "Bearer", "aud": _CLIENT, "azp": _CLIENT, "sid": "s"},
    "Auth0": {"aud": [_API, "https://t.auth0.com/userinfo"], "azp": _CLIENT, "scope": "openid profile"},
    "Auth0, without a scope": {"aud": _API, "azp": _CLIENT, "permissions": ["x"]},
    "Auth0, for a program": {"aud": _API, "azp": _CLIENT, "gty": "client-credentials"},
    "Okta": {**_OKTA, "uid": "u", "auth_time": 1},
    "Okta, for a program": _OKTA,
    "Entra ID": {**_ENTRA, **_PERSON, "azp": "other", "azpacr": "0", "scp": "read"},
    "Entra ID, for a program": {**_ENTRA, "azp": "guid", "azpacr": "1", "roles": ["x"]},
    "Entra ID, version 1": {**_ENTRA, "ver": "1.0", "appid": "a", "appidacr": "1", "roles": ["x"], "amr": ["pwd"]},
    "Cognito": {"token_use": "access", "client_id": _CLIENT, "aud": _API, "scope": "x", "auth_time": 1},
    "Authentik": {"aud": _CLIENT, "azp": _CLIENT, "uid": "u", "scope": "openid", **_SIGNED_IN, **_PERSON},
    "Zitadel": {"aud": [_CLIENT, "project"], "client_id": _CLIENT, "jti": "j"},
    "Zitadel, with azp": {"aud": [_CLIENT, "project"], "azp": _CLIENT, "jti": "j"},
    "Kubernetes": {"aud": [_API], "jti": "j", "kubernetes.io": {"namespace": "default"}},
    "a provider that says little": {"aud": _API},
}

_AT_JWT: dict[str, dict[str, Any]] = {
    "Keycloak": {"typ": "Bearer", "aud": "api", "azp": _CLIENT, **_SIGNED_IN},
    "Auth0": {"aud": [_API], "client_id": _CLIENT, "jti": "j", "scope": "openid"},
    "what RFC 9068 allows": {"aud": _API, **_SIGNED_IN, **_PERSON, "nonce": "n"},
}

_ID: dict[str, dict[str, Any]] = {
    "Keycloak": {"typ": "ID", "aud": _CLIENT, "azp": _CLIENT, **_SIGNED_IN, **_PERSON},
    "Keycloak, with a scope": {"typ": "ID", "aud": _CLIENT, "azp": _CLIENT, "scope": "openid"},
    "Auth0": {"aud": _CLIENT, "name": "Ada", "picture": "https://a/b", "updated_at": "2026-11-26T00:00:00Z"},
    "Auth0, of openid alone": {"aud": _CLIENT, "sid": "s"},
    "Auth0, with a nonce": {"aud": _CLIENT, "nonce": "n"},
    "Okta": {"ver": 1, "jti": "ID.1", "aud": _CLIENT, "amr": ["pwd"], "idp": "i", "auth_time": 1, "at_hash": "h"},
    "Okta, without at_hash": {"ver": 1, "jti": "ID.2", "aud": _CLIENT, "amr": ["pwd"], "idp": "i"},
    "Entra ID": {**_ENTRA, **_PERSON, "roles": ["admin"]},
    "Entra ID, of openid alone": {**_ENTRA, "roles": ["admin"]},
    "Cognito": {"token_use": "id", "aud": _CLIENT, "cognito:groups": ["admin"], "auth_time": 1, **_PERSON},
    "Google": {"aud": _CLIENT, "azp": _CLIENT, **_PERSON, "email_verified": True, "hd": "example.com"},
    "Google, of openid alone": {"aud": _CLIENT, "azp": _CLIENT},
    "Google, from a telephone": {"aud": "server", "azp": "telephone", "email": "ada@example.com"},
    "Authentik": {"aud": _CLIENT, **_SIGNED_IN, **_PERSON},
    "Zitadel": {"aud": [_CLIENT, "project"], "azp": _CLIENT, "client_id": _CLIENT, "at_hash": "h", **_SIGNED_IN},
    "Zitadel, without at_hash": {"aud": [_CLIENT, "project"], "azp": _CLIENT, **_SIGNED_IN},
    "a token that ends a session": {"aud": _CLIENT, "events": {}, "sid": "s"},
    "a hybrid flow": {"aud": _CLIENT, "c_hash": "h", "scope": "openid"},
}


def check(claims: dict[str, Any], *, is_at_jwt: bool = False) -> None:
    check_kind({"iss": "https://id.example", "sub": "ada", "iat": 1, "exp": 2, **claims}, is_at_jwt=is_at_jwt)


@pytest.mark.parametrize("name", _ACCESS)
def test_access_tokens_are_taken(name: str) -> None:
    check(_ACCESS[name])


@pytest.mark.parametrize("name", _AT_JWT)
def test_access_tokens_that_say_so_in_their_header_are_taken(name: str) -> None:
    check(_AT_JWT[name], is_at_jwt=True)


@pytest.mark.parametrize("name", _ID)
def test_id_tokens_and_others_are_refused(name: str) -> None:
    with pytest.raises(Refused, match="no access token"):
        check(_ID[name])


def test_a_header_does_not_make_up_for_claims_that_say_otherwise() -> None:
    for claims in ({"typ": "ID"}, {"token_use": "id"}, {"typ": "Bearer", "token_use": "id"}):
        with pytest.raises(Refused, match="no access token"):
            check({"aud": _API, "scope": "a", **claims}, is_at_jwt=True)


@pytest.mark.parametrize("is_at_jwt", [True, False])
def test_a_token_for_the_holder_of_a_key_is_refused(is_at_jwt: bool) -> None:  # noqa: FBT001
    with pytest.raises(Refused, match="bound to a key"):
        check({"aud": _API, "scope": "a", "cnf": {"jkt": "x"}}, is_at_jwt=is_at_jwt)
