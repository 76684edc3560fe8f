"""Lists of orders over HTTP."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.contract.test_orders import ORDER
from tests.requests import Caller, assert_failed

PATH = "/v1/orders"


@pytest.fixture
def orders(alice: Caller) -> list[dict[str, Any]]:
    """Five orders, oldest first: 1 to 5 pieces of 10.00, in two currencies."""
    return [
        alice.post(
            PATH,
            json={
                **ORDER,
                "reference": f"{'cebda'[n]}-{n}",
                "currency": "EUR" if n % 2 else "USD",
                "customer_email": f"c{n % 3}@example.com",
                "items": [{"sku": "TEA", "quantity": n + 1, "unit_price": "10.00"}],
            },
        ).json()
        for n in range(5)
    ]


def ids(alice: Caller, **query: Any) -> list[str]:
    response = alice.get(PATH, params=query)
    assert response.status_code == 200, response.text
    return [order["id"] for order in response.json()["data"]]


def walk(alice: Caller, **query: Any) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = alice.get(PATH, params={**query, **({"cursor": cursor} if cursor else {})}).json()
        assert page["has_more"] == (page["next_cursor"] is not None)
        found += [order["id"] for order in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


class TestEnvelope:
    def test_an_empty_list_has_an_envelope(self, alice: Caller) -> None:
        assert alice.get(PATH).json() == {"data": [], "next_cursor": None, "has_more": False}

    def test_the_newest_come_first_without_their_items(self, alice: Caller, orders: list[dict[str, Any]]) -> None:
        data = alice.get(PATH).json()["data"]

        assert [order["id"] for order in reversed(orders)] == [order["id"] for order in data]
        assert {name: value for name, value in orders[4].items() if name != "items"} | {"item_count": 1} == data[0]

    def test_deleted_orders_are_not_listed(self, alice: Caller, orders: list[dict[str, Any]]) -> None:
        alice.delete(f"{PATH}/{orders[2]['id']}")

        assert orders[2]["id"] not in ids(alice)


class TestPages:
    @pytest.mark.parametrize(
        "sort", ["created_at", "-created_at", "updated_at", "-total", "reference", "-reference,total"]
    )
    def test_the_pages_are_the_list(self, alice: Caller, orders: list[dict[str, Any]], sort: str) -> None:
        paged = {limit: walk(alice, sort=sort, limit=limit) for limit in (1, 2, 5, 100)}

        assert dict.fromkeys(paged, ids(alice, sort=sort)) == paged
        assert len(orders) == len(set(paged[1]))

    def test_orders_of_one_instant_are_not_lost(self, alice: Caller, orders: list[dict[str, Any]]) -> None:
        assert walk(alice, sort="total", limit=1) == [order["id"] for order in orders]

    @pytest.mark.usefixtures("orders")
    @pytest.mark.parametrize("change", [{"sort": "created_at"}, {"currency": "EUR"}, {"min_total": "0.00"}])
    def test_a_cursor_is_bound_to_its_list(self, alice: Caller, change: dict[str, str]) -> None:
        cursor = alice.get(PATH, params={"limit": 1}).json()["next_cursor"]

        assert_failed(alice.get(PATH, params={"cursor": cursor, **change}), 400, "invalid_cursor")

    @pytest.mark.usefixtures("orders")
    def test_a_forged_cursor_is_refused(self, alice: Caller) -> None:
        cursor = alice.get(PATH, params={"limit": 1}).json()["next_cursor"]

        for forged in (cursor[:-1], cursor + "A", cursor.swapcase(), "", "x" * 3000, "é"):
            assert_failed(alice.get(PATH, params={"cursor": forged}), 400, "invalid_cursor")


class TestFilters:
    def test_by_status_any_of_several(self, alice: Caller, orders: list[dict[str, Any]]) -> None:
        alice.post(f"{PATH}/{orders[0]['id']}/submit")
        alice.post(f"{PATH}/{orders[1]['id']}/cancel")

        assert {orders[0]["id"], orders[1]["id"]} == set(ids(alice, status=["submitted", "cancelled"]))

    def test_by_exact_values(self, alice: Caller, orders: list[dict[str, Any]]) -> None:
        assert [orders[1]["id"]] == ids(alice, reference=orders[1]["reference"])
        assert [orders[3]["id"], orders[0]["id"]] == ids(alice, customer_email="c0@example.com")
        assert [orders[3]["id"], orders[1]["id"]] == ids(alice, currency="EUR")

    def test_by_total(self, alice: Caller, orders: list[dict[str, Any]]) -> None:
        assert {o["id"] for o in orders[1:4]} == set(ids(alice, min_total="20", max_total="40.00"))

    def test_by_time_to_the_microsecond(self, alice: Caller, orders: list[dict[str, Any]]) -> None:
        instant = datetime.fromisoformat(orders[2]["created_at"])
        just_before = (instant - timedelta(microseconds=1)).isoformat()

        assert orders[2]["id"] not in ids(alice, created_after=instant.isoformat())
        assert orders[2]["id"] in ids(alice, created_after=just_before)
        assert orders[2]["id"] not in ids(alice, created_before=instant.isoformat())

    @pytest.mark.parametrize("bound", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-12:00"])
    def test_accepts_the_first_and_last_instant_as_bounds(self, alice: Caller, bound: str) -> None:
        assert ids(alice, created_after=bound, created_before=bound) == []


class TestQuery:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("limit", "0"),
            ("limit", "101"),
            ("limit", "-1"),
            ("limit", "+5"),
            ("limit", "1e3"),
            ("limit", "5.0"),
            ("limit", ""),
            ("limit", "٥"),  # noqa: RUF001 - a digit, but not of ASCII
            ("limit", "9" * 5000),
            ("sort", "owner"),
            ("sort", ""),
            ("sort", "total,"),
            ("status", "gone"),
            ("currency", "EURO"),
            ("reference", "a\x00b"),
            ("created_after", "2026-01-31T09:30:00"),
            ("created_after", "2026-01-31"),
            ("created_after", "1700000000"),
            ("min_total", "1.999"),
            ("min_total", "-1"),
            ("offset", "20"),
        ],
    )
    def test_names_the_invalid_parameter(self, alice: Caller, name: str, value: str) -> None:
        details = assert_failed(alice.get(PATH, params={name: value}), 422, "validation_error")

        assert [name] == [detail["field"].split(".")[0] for detail in details]

    def test_a_parameter_that_is_given_twice_is_refused(self, alice: Caller) -> None:
        (detail,) = assert_failed(alice.get(f"{PATH}?limit=1&limit=2"), 422, "validation_error")

        assert (detail["field"], detail["code"]) == ("limit", "repeated")
