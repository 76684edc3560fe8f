import pytest

from app.auth.policy import Access, public, requires
from app.auth.principal import ADMIN, Principal
from app.core.errors import Forbidden, RouteError
from app.http.contract import Contract


def access_of(endpoint: object) -> Access:
    return Contract("GET", "/things", endpoint).access


def _endpoint() -> None:
    """Stand in for an endpoint."""


@pytest.fixture(autouse=True)
def _scopes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.http.contract.SCOPES", {"things:read": "See things.", "things:write": "Change things."})


@requires("things:read", "things:write", role=ADMIN)
def _administer() -> None:
    """Stand in for an endpoint that asks for a lot."""


class TestDeclarations:
    def test_an_endpoint_that_declares_nothing_is_an_error(self) -> None:
        with pytest.raises(RouteError, match=r"_endpoint\) does not say who may call it"):
            access_of(_endpoint)

    def test_a_public_one_asks_for_nobody(self) -> None:
        @public
        def endpoint() -> None: ...

        assert access_of(endpoint).public

    def test_requiring_nothing_still_requires_a_caller(self) -> None:
        @requires()
        def endpoint() -> None: ...

        assert not access_of(endpoint).public
        access_of(endpoint).check(Principal("ada"))


class TestCheck:
    def test_a_caller_with_all_that_is_needed_passes(self) -> None:
        caller = Principal("ada", frozenset({"things:read", "things:write", "more"}), frozenset({ADMIN, "more"}))

        access_of(_administer).check(caller)

    @pytest.mark.parametrize(
        ("scopes", "roles"),
        [((), ()), (["things:read"], [ADMIN]), (["things:read", "things:write"], []), (["things"], [ADMIN])],
    )
    def test_a_missing_scope_or_role_is_forbidden(self, scopes: list[str], roles: list[str]) -> None:
        with pytest.raises(Forbidden):
            access_of(_administer).check(Principal("ada", frozenset(scopes), frozenset(roles)))


class TestOwnership:
    def test_a_caller_sees_its_own_only(self) -> None:
        ada = Principal("ada")

        assert ada.may_see("ada")
        assert not ada.may_see("Ada")

    def test_an_admin_sees_all(self) -> None:
        assert Principal("root", roles=frozenset({ADMIN})).may_see("ada")


class TestSeveralDeclarations:
    def test_what_they_require_adds_up(self) -> None:
        @requires("things:read")
        @requires("things:write", role=ADMIN)
        def endpoint() -> None: ...

        assert access_of(endpoint).scopes == {"things:read", "things:write"}
        assert access_of(endpoint).roles == {ADMIN}

    def test_one_that_is_public_and_not_is_refused(self) -> None:
        with pytest.raises(RouteError, match="both @public and"):

            @public
            @requires("things:read")
            def endpoint() -> None: ...

    def test_a_class_can_declare_it(self) -> None:
        @public
        class Endpoint: ...

        assert access_of(Endpoint).public
