from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from app.schemas.orders import OrderCreate, OrderQuery, OrderUpdate
from tests.orders import order_content


def refusals(model: type[BaseModel], content: dict[str, Any]) -> list[str]:
    """Return the fields that `model` refuses."""
    with pytest.raises(ValidationError) as failure:
        model.model_validate(content)
    return [".".join(map(str, error["loc"])) for error in failure.value.errors()]


def item(**changes: Any) -> dict[str, Any]:
    return {"sku": "TEA-250", "quantity": 1, "unit_price": "1.00", **changes}


class TestOrderCreate:
    def test_a_whole_order_is_taken(self) -> None:
        order = OrderCreate.model_validate(order_content())

        assert order.items[0].unit_price == Decimal("19.90")

    @pytest.mark.parametrize("field", ["reference", "customer_email", "currency", "items"])
    def test_a_field_that_is_needed_is_missed(self, field: str) -> None:
        content = order_content()
        del content[field]

        assert refusals(OrderCreate, content) == [field]

    @pytest.mark.parametrize("field", ["id", "owner", "status", "total", "created_at", "version", "item_count"])
    def test_what_the_service_decides_is_refused(self, field: str) -> None:
        assert refusals(OrderCreate, order_content(**{field: "1"})) == [field]

    def test_a_note_may_be_left_out_and_be_null(self) -> None:
        content = order_content()
        del content["note"]

        assert OrderCreate.model_validate(content).note is None
        assert OrderCreate.model_validate(order_content(note=None)).note is None

    @pytest.mark.parametrize("count", [0, 101])
    def test_an_order_has_1_to_100_items(self, count: int) -> None:
        assert refusals(OrderCreate, order_content(items=[item()] * count)) == ["items"]
        assert OrderCreate.model_validate(order_content(items=[item()] * 100)).items[99].sku == "TEA-250"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            *(("quantity", value) for value in (0, -1, 10_001, 2**31, 2**63, 1e300, 1.5, "2", True, None)),
            *(("unit_price", value) for value in ("-0.01", "10000000000.00", "0.001", 1, 1.5, "1e3", None)),
            *(("sku", value) for value in ("", "x" * 65, "a\0b", 1, None)),
            ("total", "1.00"),
        ],
    )
    def test_what_no_line_can_have_is_refused(self, field: str, value: object) -> None:
        assert refusals(OrderCreate, order_content(items=[item(**{field: value})])) == [f"items.0.{field}"]


class TestOrderUpdate:
    def test_nothing_is_needed(self) -> None:
        assert OrderUpdate.model_validate({}).model_fields_set == set()

    @pytest.mark.parametrize("field", ["reference", "customer_email", "currency", "items"])
    def test_null_is_no_value(self, field: str) -> None:
        assert refusals(OrderUpdate, {field: None}) == [field]

    def test_null_removes_a_note(self) -> None:
        assert OrderUpdate.model_validate({"note": None}).model_fields_set == {"note"}

    @pytest.mark.parametrize("field", ["status", "total", "owner", "live"])
    def test_what_the_service_decides_is_refused(self, field: str) -> None:
        assert refusals(OrderUpdate, {field: "draft"}) == [field]


class TestOrderQuery:
    @pytest.mark.parametrize("sort", ["total", "-total", "-created_at,reference", "updated_at,-total,reference,total"])
    def test_offered_names_are_sorted_by(self, sort: str) -> None:
        assert sort == OrderQuery(sort=sort).sort

    @pytest.mark.parametrize(
        "sort", ["", "id", "owner", "+total", "--total", "total,", ",total", "total, reference", "Total", "total\n"]
    )
    def test_others_are_not(self, sort: str) -> None:
        assert refusals(OrderQuery, {"sort": sort}) == ["sort"]

    @pytest.mark.parametrize("limit", ["0", "101", "-1", "+5", "1e3", "9" * 30, ""])
    def test_a_page_has_1_to_100_rows(self, limit: str) -> None:
        assert refusals(OrderQuery, {"limit": limit}) == ["limit"]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("status", ["lost"]),
            ("created_after", "yesterday"),
            ("min_total", "-1"),
            ("max_total", "1e9"),
            ("currency", "XXY"),
            ("reference", "a\0b"),
            ("customer_email", "ada"),
        ],
    )
    def test_filters_are_typed(self, field: str, value: object) -> None:
        assert refusals(OrderQuery, {field: value})[0].split(".")[0] == field
