"""Orders over HTTP."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.requests import Caller, assert_failed

ORDER: dict[str, Any] = {
    "reference": "2026-0001",
    "customer_email": "ada@example.com",
    "currency": "EUR",
    "note": "Ring twice.\nThen wait.",
    "items": [
        {"sku": "TEA-250", "quantity": 2, "unit_price": "19.9"},
        {"sku": "CUP", "quantity": 1, "unit_price": "0.05"},
    ],
}
NOWHERE = "/v1/orders/01900000-0000-7000-8000-000000000000"


@pytest.fixture
def order(alice: Caller) -> dict[str, Any]:
    created: dict[str, Any] = alice.post("/v1/orders", json=ORDER).json()
    return created


def path_of(order: dict[str, Any]) -> str:
    return f"/v1/orders/{order['id']}"


def move(alice: Caller, order: dict[str, Any], *actions: str) -> None:
    for action in actions:
        assert alice.post(f"{path_of(order)}/{action}").status_code == 200


class TestCreate:
    def test_it_answers_with_the_whole_order_and_where_it_is(self, alice: Caller) -> None:
        response = alice.post("/v1/orders", json=ORDER)

        created = response.json()
        assert (response.status_code, response.headers["location"]) == (201, path_of(created))
        assert ORDER["reference"] == created["reference"]
        assert ORDER["note"] == created["note"]
        assert (created["status"], created["total"]) == ("draft", "39.85")
        assert [item["unit_price"] for item in created["items"]] == ["19.90", "0.05"]

    def test_the_location_answers_the_same(self, alice: Caller) -> None:
        created = alice.post("/v1/orders", json=ORDER)
        read = alice.get(created.headers["location"])

        assert created.json() == read.json()
        assert created.headers["etag"] == read.headers["etag"]

    def test_ids_are_uuid7_and_times_are_utc(self, order: dict[str, Any]) -> None:
        assert UUID(order["id"]).version == 7
        assert order["created_at"].endswith("Z")
        assert order["created_at"] == order["updated_at"]

    def test_the_largest_order_is_exact(self, alice: Caller) -> None:
        items = [{"sku": f"sku {n}", "quantity": 10_000, "unit_price": "9999999999.99"} for n in range(100)]
        response = alice.post("/v1/orders", json={**ORDER, "items": items})

        assert response.json()["total"] == str(Decimal("9999999999.99") * 10_000 * 100)

    def test_a_reference_is_taken_once(self, alice: Caller, order: dict[str, Any]) -> None:
        assert_failed(alice.post("/v1/orders", json={**ORDER, "reference": order["reference"]}), 409, "reference_taken")

    @pytest.mark.parametrize("reference", ["REF", "réf", "ref ", " ref", "ref\u0301", "🦊"])
    def test_references_compare_byte_for_byte(self, alice: Caller, reference: str) -> None:
        alice.post("/v1/orders", json={**ORDER, "reference": "ref"})
        response = alice.post("/v1/orders", json={**ORDER, "reference": reference})

        assert (201, reference) == (response.status_code, response.json()["reference"])


class TestGet:
    def test_a_client_that_has_this_version_is_told_so(self, alice: Caller, order: dict[str, Any]) -> None:
        tag = alice.get(path_of(order)).headers["etag"]
        response = alice.get(path_of(order), headers={"If-None-Match": f'"other", W/{tag}'})

        assert (response.status_code, response.content) == (304, b"")
        assert tag == response.headers["etag"]

    def test_what_is_not_there_is_not_found(self, alice: Caller) -> None:
        assert_failed(alice.get(NOWHERE), 404, "not_found")

    def test_what_is_no_id_is_invalid(self, alice: Caller) -> None:
        (detail,) = assert_failed(alice.get("/v1/orders/7"), 422, "validation_error")

        assert detail["field"] == "order_id"


class TestReplace:
    def test_put_clears_the_fields_that_are_not_sent(self, alice: Caller, order: dict[str, Any]) -> None:
        bare = {name: ORDER[name] for name in ORDER if name != "note"}
        replaced = alice.put(path_of(order), json={**bare, "items": ORDER["items"][:1]}).json()

        assert (replaced["note"], replaced["total"], len(replaced["items"])) == (None, "39.80", 1)
        assert alice.get(path_of(order)).json() == replaced

    def test_the_tag_changes_with_every_change(self, alice: Caller, order: dict[str, Any]) -> None:
        before = alice.get(path_of(order)).headers["etag"]
        after = alice.put(path_of(order), json=ORDER).headers["etag"]

        assert before != after

    @pytest.mark.parametrize("tag", ['"0"', 'W/"1"', "1", '""'])
    def test_a_stale_version_is_not_overwritten(self, alice: Caller, order: dict[str, Any], tag: str) -> None:
        response = alice.put(path_of(order), json={**ORDER, "note": "lost"}, headers={"If-Match": tag})

        assert_failed(response, 412, "precondition_failed")
        assert alice.get(path_of(order)).json() == order

    def test_a_submitted_order_is_not_replaced(self, alice: Caller, order: dict[str, Any]) -> None:
        move(alice, order, "submit")

        assert_failed(alice.put(path_of(order), json=ORDER), 409, "order_not_editable")


class TestUpdate:
    def test_only_what_is_sent_changes(self, alice: Caller, order: dict[str, Any]) -> None:
        updated = alice.patch(path_of(order), json={"note": None}).json()

        assert {**order, "note": None, "updated_at": updated["updated_at"]} == updated

    def test_nothing_sent_changes_nothing(self, alice: Caller, order: dict[str, Any]) -> None:
        tag = alice.get(path_of(order)).headers["etag"]
        response = alice.patch(path_of(order), json={})

        assert (200, order, tag) == (response.status_code, response.json(), response.headers["etag"])

    @pytest.mark.parametrize("field", ["reference", "customer_email", "currency", "items"])
    def test_refuses_null_for_a_required_field(self, alice: Caller, order: dict[str, Any], field: str) -> None:
        (detail,) = assert_failed(alice.patch(path_of(order), json={field: None}), 422, "validation_error")

        assert detail["field"] == field

    def test_a_reference_that_is_taken_is_refused(self, alice: Caller, order: dict[str, Any]) -> None:
        alice.post("/v1/orders", json={**ORDER, "reference": "other"})

        assert_failed(alice.patch(path_of(order), json={"reference": "other"}), 409, "reference_taken")

    def test_once_submitted_only_the_note_changes(self, alice: Caller, order: dict[str, Any]) -> None:
        move(alice, order, "submit")

        assert alice.patch(path_of(order), json={"note": "late"}).json()["note"] == "late"
        assert_failed(alice.patch(path_of(order), json={"currency": "EUR"}), 409, "order_not_editable")


class TestTransitions:
    def test_an_order_goes_all_the_way(self, alice: Caller, order: dict[str, Any]) -> None:
        statuses = [alice.post(f"{path_of(order)}/{action}").json()["status"] for action in ("submit", "pay", "ship")]

        assert statuses == ["submitted", "paid", "shipped"]

    def test_an_invalid_transition_lists_the_valid_ones(self, alice: Caller, order: dict[str, Any]) -> None:
        move(alice, order, "submit", "pay")
        details = assert_failed(alice.post(f"{path_of(order)}/submit"), 409, "invalid_transition")

        message = "paid -> submitted; allowed: shipped, cancelled"
        assert details == [{"field": "status", "code": "invalid_transition", "message": message}]

    def test_a_stale_version_does_not_move(self, alice: Caller, order: dict[str, Any]) -> None:
        response = alice.post(f"{path_of(order)}/submit", headers={"If-Match": '"0"'})

        assert_failed(response, 412, "precondition_failed")


class TestDelete:
    def test_a_deleted_order_is_gone_and_its_reference_free(self, alice: Caller, order: dict[str, Any]) -> None:
        first, second = alice.delete(path_of(order)), alice.delete(path_of(order))

        assert (first.status_code, first.content) == (204, b"")
        assert_failed(second, 404, "not_found")
        assert_failed(alice.get(path_of(order)), 404, "not_found")
        assert alice.post("/v1/orders", json=ORDER).status_code == 201

    def test_refuses_to_delete_a_submitted_order(self, alice: Caller, order: dict[str, Any]) -> None:
        move(alice, order, "submit")

        assert_failed(alice.delete(path_of(order)), 409, "order_not_deletable")
        move(alice, order, "cancel")
        assert alice.delete(path_of(order)).status_code == 204
