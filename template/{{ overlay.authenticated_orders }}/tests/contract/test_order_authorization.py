"""Whoever asks, every route of orders gives what they may have: their own, or all to admins."""

from typing import Any

import httpx2
import pytest

from app.auth.policy import Access
from app.auth.principal import ADMIN
from app.core.scopes import SCOPES
from app.db.database import Database
from tests.callers import headers_for
from tests.client import routes
from tests.orders import order_content
from tests.requests import Caller, assert_failed

_ACCESS: dict[tuple[str, str], Access] = {(method, path): access for method, path, access in routes()}
_ONE_ORDER = [route for route in _ACCESS if "{order_id}" in route[1]]


@pytest.fixture
def owner(client: httpx2.Client, database: Database) -> Caller:
    return Caller(client, headers_for(database, "owner", list(SCOPES)))


@pytest.fixture
def someone_else(client: httpx2.Client, database: Database) -> Caller:
    return Caller(client, headers_for(database, "someone-else", list(SCOPES)))


@pytest.fixture
def admin(client: httpx2.Client, database: Database) -> Caller:
    return Caller(client, headers_for(database, "admin", list(SCOPES), [ADMIN]))


def _options(method: str) -> dict[str, Any]:
    return {"PUT": {"json": order_content()}, "PATCH": {"json": {"note": "Ring once."}}}.get(method, {})


@pytest.mark.parametrize(("method", "path"), _ONE_ORDER)
class TestEveryRouteOfOneOrder:
    def test_asks_for_a_scope_of_orders(self, method: str, path: str) -> None:
        assert {"orders:read" if method == "GET" else "orders:write"} == _ACCESS[method, path].scopes

    def test_knows_nothing_of_someone_elses(self, owner: Caller, someone_else: Caller, method: str, path: str) -> None:
        order = owner.post("/v1/orders", json=order_content()).json()
        response = someone_else.request(method, path.format(order_id=order["id"]), **_options(method))

        assert_failed(response, 404, "not_found")
        assert order == owner.get(f"/v1/orders/{order['id']}").json()

    @pytest.mark.parametrize("who", ["owner", "admin"])
    def test_serves_its_owner_and_admins(
        self, request: pytest.FixtureRequest, owner: Caller, who: str, method: str, path: str
    ) -> None:
        order = owner.post("/v1/orders", json=order_content()).json()
        caller: Caller = request.getfixturevalue(who)
        response = caller.request(method, path.format(order_id=order["id"]), **_options(method))

        # A draft cannot be paid or shipped: that is a matter of its state.
        is_early = path.endswith(("/pay", "/ship"))
        assert response.status_code in ({409} if is_early else {200, 204}), response.text


class TestLists:
    def test_an_owner_sees_only_its_own(self, owner: Caller, someone_else: Caller) -> None:
        order = owner.post("/v1/orders", json=order_content()).json()

        assert [order["id"]] == [each["id"] for each in owner.get("/v1/orders").json()["data"]]
        assert someone_else.get("/v1/orders").json()["data"] == []

    def test_an_admin_sees_all(self, owner: Caller, someone_else: Caller, admin: Caller) -> None:
        made = {caller.post("/v1/orders", json=order_content()).json()["id"] for caller in (owner, someone_else)}

        assert made == {each["id"] for each in admin.get("/v1/orders").json()["data"]}


class TestCreation:
    def test_an_order_belongs_to_who_made_it(self, owner: Caller, someone_else: Caller) -> None:
        owners = [caller.post("/v1/orders", json=order_content()).json()["owner"] for caller in (owner, someone_else)]

        assert len(set(owners)) == 2
