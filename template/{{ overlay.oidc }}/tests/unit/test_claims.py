"""Providers say in different places what they have granted."""

import time
from typing import Any

import pytest

from app.auth.claims import Rules
from app.auth.tokens import Refused
from tests.tokens import AUDIENCE, claims_of

_ISSUER = "https://id.example"


def soon() -> float:
    """Return a time at which the claims of a test are valid, however long the tests before it took."""
    return time.time() + 100


def rules(scopes_claim: str = "scope", roles_claim: str = "roles", leeway: int = 0) -> Rules:
    return Rules(_ISSUER, AUDIENCE, leeway, scopes_claim, roles_claim)


class TestScopes:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("things:read things:write", {"things:read", "things:write"}),
            (" a  b ", {"a", "b"}),
            (["a", "b"], {"a", "b"}),
            *(("", set()), ([], set()), (None, set()), (1, set()), ({"a": 1}, set()), (["a", 1], set())),
            ("a\tb", {"a\tb"}),
        ],
    )
    def test_they_are_a_text_or_a_list(self, value: object, expected: set[str]) -> None:
        assert expected == rules().principal(claims_of(_ISSUER, scope=value), soon()).scopes

    def test_a_claim_that_is_not_there_grants_nothing(self) -> None:
        principal = rules("scp", "nowhere.at.all").principal(claims_of(_ISSUER, scope="a", roles=["admin"]), soon())

        assert (frozenset(), frozenset()) == (principal.scopes, principal.roles)


class TestPaths:
    @pytest.mark.parametrize(
        ("path", "claims"),
        [
            ("roles", {"roles": ["admin"]}),
            ("realm_access.roles", {"realm_access": {"roles": ["admin"]}}),
            ("resource_access.things.roles", {"resource_access": {"things": {"roles": ["admin"]}}}),
            ("https://example.com/roles", {"https://example.com/roles": ["admin"]}),
            ("cognito:groups", {"cognito:groups": ["admin"]}),
        ],
    )
    def test_they_lead_to_a_name_or_into_objects(self, path: str, claims: dict[str, Any]) -> None:
        assert rules(roles_claim=path).principal(claims_of(_ISSUER, **claims), soon()).is_admin

    @pytest.mark.parametrize(
        "claims", [{"realm_access": ["roles"]}, {"realm_access": "roles"}, {"realm_access": {"roles": {"admin": 1}}}]
    )
    def test_they_lead_nowhere_without_harm(self, claims: dict[str, Any]) -> None:
        assert not rules(roles_claim="realm_access.roles").principal(claims_of(_ISSUER, **claims), soon()).is_admin


class TestTimes:
    @pytest.mark.parametrize(
        ("changes", "seconds", "leeway", "is_valid"),
        [
            *(({"exp": 100}, 99.9, 0, True), ({"exp": 100}, 100, 0, False)),
            *(({"exp": 100.5}, 100.4, 0, True), ({"exp": 100.5}, 100.5, 0, False)),
            *(({"nbf": 99.5, "iat": 99.5}, 99.5, 0, True), ({"nbf": 99.5}, 99.4, 0, False)),
            *(({"exp": 100}, 104.9, 5, True), ({"exp": 100}, 105, 5, False)),
            *(({"nbf": 100}, 100, 0, True), ({"nbf": 100}, 99.9, 0, False), ({"nbf": 100}, 95, 5, True)),
            *(({"iat": 100}, 100, 0, True), ({"iat": 100}, 99.9, 0, False), ({"iat": 100}, 95, 5, True)),
        ],
    )
    def test_each_bound_is_exact(
        self,
        changes: dict[str, float],
        seconds: float,
        leeway: int,
        is_valid: bool,  # noqa: FBT001
    ) -> None:
        claims = claims_of(_ISSUER, **{"exp": 1000, "iat": ..., **changes})
        try:
            rules(leeway=leeway).principal(claims, seconds)
            accepted = True
        except Refused:
            accepted = False

        assert is_valid == accepted


class TestAudiences:
    @pytest.mark.parametrize(
        ("claims", "is_ours"),
        [
            ({"aud": ..., "client_id": AUDIENCE}, True),
            ({"aud": "another", "client_id": AUDIENCE}, True),
            ({"aud": AUDIENCE}, False),
            ({"aud": AUDIENCE, "client_id": "another"}, False),
        ],
    )
    def test_another_claim_may_name_it(self, claims: dict[str, Any], *, is_ours: bool) -> None:
        cognito = Rules(_ISSUER, AUDIENCE, 0, "scope", "cognito:groups", audience_claim="client_id")
        try:
            cognito.principal(claims_of(_ISSUER, **claims), soon())
            accepted = True
        except Refused:
            accepted = False

        assert is_ours == accepted


class TestSubjects:
    @pytest.mark.parametrize("subject", ["a", "a" * 128, "auth0|5f7c8ec7", "é 日本", "00u1a2b3@clients"])
    def test_what_the_owner_column_can_hold_is_one(self, subject: str) -> None:
        assert subject == rules().principal(claims_of(_ISSUER, sub=subject), soon()).subject
