"""Every sort and filter that the list declares has an index behind it."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from app.auth.principal import Principal
from app.core.ids import new_id
from app.db.database import Database
from app.db.models import Base
from app.db.models.orders import Order
from app.schemas.orders import OrderQuery
from app.services import order_lists
from tests.integration.work import plan_of
from tests.orders import ALICE, ROOT
from tests.plans import Plan, refresh_statistics

_FILTERS = dict(OrderQuery.filters())
# What leaves few rows, and the sort with which a client would ask for it.
_RARE: dict[str, dict[str, Any]] = {
    "status": {"status": ["paid"]},
    "reference": {"reference": "R7", "sort": "reference"},
    "customer_email": {"customer_email": "1@example.com"},
    "currency": {"currency": "EUR"},
    "created_after": {"created_after": "2026-03-24T00:00:00Z"},
    "created_before": {"created_before": "2026-01-02T00:00:00Z"},
    "min_total": {"min_total": "1990", "sort": "total"},
    "max_total": {"max_total": "9", "sort": "-total"},
}


def _order(number: int) -> dict[str, Any]:
    """Return the columns of one of many orders; of what is filtered by, each value is rare."""
    then = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    return {
        "id": new_id(),
        "owner": "alice" if number % 2 else f"owner {number}",
        "reference": f"R{number * 7}",
        "status": "draft" if number % 20 else "paid",
        "currency": "CZK" if number % 20 else "EUR",
        "customer_email": f"{number % 20}@example.com",
        "total": Decimal(number),
        "item_count": 1,
        "created_at": then,
        "updated_at": then,
    }


@pytest.fixture(scope="module", autouse=True)
def _many_orders(shared_database: Database) -> Generator[None]:
    """Enough rows that an index is worth its while."""
    shared_database.write(lambda session: session.execute(insert(Order), [_order(number) for number in range(2000)]))
    refresh_statistics(shared_database.writer, "orders")
    yield
    shared_database.write(lambda session: session.execute(delete(Order)))


def plan(session: Session, caller: Principal, **query: Any) -> Plan:
    wanted = OrderQuery.model_validate(query)
    return plan_of(session, lambda: order_lists.list_orders(session, caller, wanted))


def last_cursor(session: Session, caller: Principal, sort: str) -> str:
    """Return the cursor of the last page: with most rows before it, each planner sees that they need not be read."""
    query = OrderQuery(sort=sort, limit=100)
    while cursor := order_lists.list_orders(session, caller, query).next_cursor:
        query = query.model_copy(update={"cursor": cursor})
    assert query.cursor is not None
    return query.cursor


def columns_of(indexes: set[str]) -> list[str]:
    """Return the columns of the one index in `indexes`."""
    (index,) = indexes
    columns = {
        str(each.name): [column.name for column in each.columns] for each in Base.metadata.tables["orders"].indexes
    }
    return columns.get(index, ["owner", "reference", "live"])


@pytest.mark.parametrize("caller", [ALICE, ROOT], ids=["owner", "admin"])
class TestSorts:
    @pytest.mark.parametrize("name", OrderQuery.sorts.columns)
    @pytest.mark.parametrize("direction", ["", "-"], ids=["up", "down"])
    def test_pages_are_read_from_an_index_in_order(
        self, session: Session, caller: Principal, name: str, direction: str
    ) -> None:
        cursor = last_cursor(session, caller, direction + name)

        for page in ({}, {"cursor": cursor}):
            found = plan(session, caller, sort=direction + name, **page)
            assert (found.sorts, found.scans) == (False, False)
            column = OrderQuery.sorts.columns[name]
            assert column in columns_of(found.indexes)
            # The rows before a cursor are not read again.
            assert (column in found.bounds) is bool(page)


class TestFilters:
    def test_each_is_tried(self) -> None:
        assert _RARE.keys() == _FILTERS.keys()

    @pytest.mark.parametrize("name", _FILTERS)
    def test_rows_are_found_in_an_index_and_not_sorted(self, session: Session, name: str) -> None:
        found = plan(session, ALICE, **_RARE[name])

        assert (found.sorts, found.scans) == (False, False)
        assert _FILTERS[name].column in columns_of(found.indexes)
