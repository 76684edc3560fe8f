from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from app.auth.principal import Principal
from app.core.errors import InvalidCursor
from app.core.ids import new_id
from app.db.models.orders import Order
from app.schemas.orders import OrderPage, OrderQuery
from app.services import order_lists
from tests.orders import ALICE, BOB, ROOT

_START = datetime(2026, 1, 31, 9, 30, 0, 123456, UTC)
_SORTS = ["-created_at", "updated_at", "-total", "reference", "-total,created_at", "updated_at,-total,-reference"]


class Row(NamedTuple):
    """What a list is sorted by. Few values, so that there are ties; references may not be equal."""

    created_at: int
    updated_at: int
    total: int
    reference: str


def put(session: Session, **values: Any) -> UUID:
    defaults = {
        "id": new_id(),
        "owner": "alice",
        "reference": str(new_id()),
        "status": "draft",
        "currency": "EUR",
        "customer_email": "ada@example.com",
        "total": Decimal("1.00"),
        "item_count": 1,
        "created_at": _START,
        "updated_at": _START,
    }
    order = {**defaults, **values}
    session.execute(insert(Order).values(order))
    return UUID(str(order["id"]))


def remove(session: Session, number: UUID) -> None:
    session.execute(update(Order).where(Order.id == number).values(live=None, deleted_at=_START))


def ask(session: Session, caller: Principal = ALICE, **query: Any) -> OrderPage:
    return order_lists.list_orders(session, caller, OrderQuery.model_validate(query))


def references(session: Session, caller: Principal = ALICE, **query: Any) -> list[str]:
    return [order.reference for order in ask(session, caller, **query).data]


class TestFilters:
    @pytest.fixture(autouse=True)
    def _orders(self, session: Session) -> None:
        day = timedelta(days=1)
        put(session, reference="a", status="draft", total=Decimal("1.00"), created_at=_START)
        put(session, reference="b", status="paid", total=Decimal("2.00"), created_at=_START + day, currency="CZK")
        put(session, reference="c", status="shipped", total=Decimal("3.00"), created_at=_START + 2 * day)
        put(session, reference="á", customer_email="Ada@example.com", created_at=_START - timedelta(microseconds=1))
        put(session, reference="a", owner="bob")
        remove(session, put(session, reference="gone"))

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({}, ["á", "a", "b", "c"]),
            ({"status": ["paid"]}, ["b"]),
            ({"status": ["paid", "shipped"]}, ["b", "c"]),
            ({"reference": "a"}, ["a"]),
            ({"reference": "A"}, []),
            ({"customer_email": "Ada@example.com"}, ["á"]),
            ({"currency": "CZK"}, ["b"]),
            ({"created_after": "2026-01-31T09:30:00.123456Z"}, ["b", "c"]),
            ({"created_after": "2026-01-31T09:30:00.123455Z"}, ["a", "b", "c"]),
            ({"created_before": "2026-01-31T10:30:00.123456+01:00"}, ["á"]),
            ({"created_after": "0001-01-01T00:00:00+23:59"}, ["á", "a", "b", "c"]),
            ({"created_after": "9999-12-31T23:59:59-23:59"}, []),
            ({"min_total": "2"}, ["b", "c"]),
            ({"max_total": "2.00"}, ["á", "a", "b"]),
            ({"min_total": "2", "max_total": "2"}, ["b"]),
            ({"min_total": "9999999999999999.99"}, []),
            ({"status": ["draft"], "min_total": "2"}, []),
        ],
        ids=str,
    )
    def test_each_keeps_what_fits(self, session: Session, query: dict[str, Any], found: list[str]) -> None:
        assert found == references(session, sort="created_at", **query)

    def test_an_admin_sees_those_of_all_owners_and_none_that_is_deleted(self, session: Session) -> None:
        assert sorted(references(session, ROOT)) == ["a", "a", "b", "c", "á"]

    def test_others_see_their_own(self, session: Session) -> None:
        assert references(session, BOB) == ["a"]
        assert references(session, Principal("carol")) == []

    def test_the_newest_come_first_unless_another_order_is_asked_for(self, session: Session) -> None:
        assert references(session) == ["c", "b", "a", "á"]
        assert references(session, sort="reference") == ["a", "b", "c", "á"]


class TestPages:
    @pytest.mark.parametrize(("count", "limit", "sizes"), [(0, 2, [0]), (2, 2, [2]), (3, 2, [2, 1]), (4, 2, [2, 2])])
    def test_they_end_with_the_last_row(self, session: Session, count: int, limit: int, sizes: list[int]) -> None:
        for _ in range(count):
            put(session)

        pages = list(walk(session, sort="-created_at", limit=limit))

        assert sizes == [len(page.data) for page in pages]
        assert [page.has_more for page in pages] == [page.next_cursor is not None for page in pages]

    @pytest.mark.parametrize(
        ("caller", "query"),
        [
            (ALICE, {"sort": "total"}),
            (ALICE, {"sort": "-total,created_at"}),
            (ALICE, {"sort": "-total", "status": ["draft"]}),
            (ALICE, {"sort": "-total", "min_total": "0"}),
            (BOB, {"sort": "-total"}),
            (ROOT, {"sort": "-total"}),
        ],
    )
    def test_a_cursor_is_of_no_use_in_another_list(
        self, session: Session, caller: Principal, query: dict[str, Any]
    ) -> None:
        put(session)
        put(session)
        cursor = ask(session, sort="-total", limit=1).next_cursor

        with pytest.raises(InvalidCursor):
            ask(session, caller, cursor=cursor, **query)

    def test_a_page_may_have_another_size_than_the_one_before(self, session: Session) -> None:
        for _ in range(4):
            put(session)
        cursor = ask(session, limit=1).next_cursor

        assert len(ask(session, limit=100, cursor=cursor).data) == 3

    def test_rows_within_one_microsecond_are_all_shown(self, session: Session) -> None:
        for offset in range(6):
            put(session, created_at=_START + timedelta(microseconds=offset // 2))

        for sort in ("created_at", "-created_at"):
            assert sum(len(page.data) for page in walk(session, sort=sort, limit=1)) == 6


rows = st.builds(Row, *[st.integers(0, 2)] * 3, st.sampled_from(["a", "A", "á", "🍵"]))
changes = st.lists(st.tuples(st.integers(0, 9), rows | st.none()), max_size=4)


class TestChangesBetweenPages:
    @pytest.mark.parametrize("sort", _SORTS)
    @hypothesis_settings(
        max_examples=6, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(before=st.lists(rows, max_size=7), between=st.lists(changes, max_size=4), limit=st.integers(1, 3))
    def test_no_remaining_row_appears_twice_or_vanishes(
        self, session: Session, sort: str, before: list[Row], between: list[Any], limit: int
    ) -> None:
        with session.begin_nested() as example:
            kept = [store(session, row) for row in before]
            shown: list[Any] = []
            for number, page in enumerate(walk(session, sort=sort, limit=limit)):
                shown += page.data
                for index, row in between[number] if number < len(between) else ():
                    if row is not None:
                        store(session, row)
                    elif kept:
                        remove(session, kept.pop(index % len(kept)))
            example.rollback()

        ids = [order.id for order in shown]
        assert len(ids) == len(set(ids))
        assert set(kept) <= set(ids)
        assert in_order(shown, sort)


def store(session: Session, row: Row) -> UUID:
    return put(
        session,
        created_at=_START + timedelta(microseconds=row.created_at),
        updated_at=_START + timedelta(microseconds=row.updated_at),
        total=Decimal(row.total),
        reference=f"{row.reference}{new_id()}",
    )


def walk(session: Session, **query: Any) -> Iterator[OrderPage]:
    cursor = None
    # A list that turns in circles must fail, not hang.
    for _ in range(100):
        page = ask(session, cursor=cursor, **query)
        yield page
        cursor = page.next_cursor
        if cursor is None:
            return
    pytest.fail("the list has no end")


def in_order(shown: list[Any], sort: str) -> bool:
    terms = sort.split(",")
    terms.append("-id" if terms[-1].startswith("-") else "id")
    expected = shown
    # Python's sort is stable, so the last key comes first.
    for term in reversed(terms):
        expected = sorted(expected, key=attrgetter(term.removeprefix("-")), reverse=term.startswith("-"))
    return expected == shown
