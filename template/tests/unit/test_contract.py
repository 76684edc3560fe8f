"""What must hold before an endpoint runs."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.auth.policy import Access, public, requires
from app.core.errors import BodyTooLarge, RouteError
from app.core.scopes import SCOPES
from app.core.settings import Settings
from app.http.body import max_body
from app.http.contract import Contract
from app.http.negotiation import produces


@public
@produces("text/csv")
@max_body(10)
def export() -> None:
    """Stand in for an endpoint."""


def undeclared() -> None:
    """Stand in for one that does not say who may call it."""


def headers(**lines: str) -> Any:
    return SimpleNamespace(getlist=lambda name: [lines[key] for key in lines if key.replace("_", "-") == name])


class TestAccess:
    def test_one_that_declares_none_is_named(self) -> None:
        with pytest.raises(RouteError, match=r"GET /things \(.*undeclared\) does not say who may call it: put @public"):
            Contract("GET", "/things", undeclared)

    @pytest.mark.parametrize("known", [{}, {"things:read": "See things.", "things:write": "Change them."}])
    def test_a_scope_that_nobody_can_be_granted_is_named(
        self, known: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.http.contract.SCOPES", known)
        has = "It has things:read, things:write." if known else "It has none yet."

        with pytest.raises(RouteError, match=rf"^GET /things \(.*undeclared\) requires things:raed, which .*\. {has}"):
            Contract("GET", "/things", undeclared, inherited=Access(scopes=frozenset({"things:raed"})))

    def test_what_is_around_it_holds_where_it_declares_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(SCOPES, "things:read", "See things.")
        around = Contract("GET", "/things", requires("things:read")(SimpleNamespace())).access

        assert Contract("GET", "/things", undeclared, inherited=around).access.scopes == {"things:read"}
        assert Contract("GET", "/things", export, inherited=around).access.public

    def test_anything_can_declare_it(self) -> None:
        application = SimpleNamespace()

        assert Contract("GET", "/things", public(application)).access.public


class TestDeclarations:
    def test_what_it_produces_takes_the_place_of_what_is_usual(self) -> None:
        assert Contract("GET", "/things", export, produces={"application/json"}).produces == ("text/csv",)

    def test_its_body_may_be_larger_or_smaller_than_others(self, settings: Settings) -> None:
        contract = Contract("POST", "/things", export)

        assert contract.max_body(settings) == 10
        contract.check_head(headers(content_length="10"), settings)
        with pytest.raises(BodyTooLarge):
            contract.check_head(headers(content_length="11"), settings)

    def test_without_names_any_parameter_may_be_sent(self) -> None:
        Contract("GET", "/things", export).check_query(b"anything=1&anything=2")
