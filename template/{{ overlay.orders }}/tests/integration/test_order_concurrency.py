"""Requests that meet: each in a thread, on a connection of its own."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from app.core.errors import AppError, NotFound, PreconditionFailed
from app.core.preconditions import Precondition, etag
from app.db.database import Database
from app.schemas.orders import OrderQuery, OrderRead, OrderUpdate
from app.services import order_lists, orders
from app.services.orders import InvalidTransition, OrderNotDeletable, ReferenceTaken
from tests.orders import ALICE, order_data

_MANY = 4
_FIRST_VERSION = 1


@pytest.fixture
def order(database: Database) -> OrderRead:
    return OrderRead.of(database.write(orders.create, ALICE, order_data()))


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Return what each call returned, or the class of what it raised."""
    start = Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        start.wait(10)
        try:
            return call()
        except AppError as error:
            return type(error)

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def losers(results: list[object]) -> dict[Any, int]:
    return dict(Counter(result for result in results if isinstance(result, type)))


class TestTransitions:
    def test_of_many_at_once_exactly_one_wins(self, database: Database, order: OrderRead) -> None:
        results = at_once(*[lambda: database.write(orders.transition, ALICE, order.id, "submitted")] * _MANY)

        assert losers(results) == {InvalidTransition: _MANY - 1}
        assert database.read(orders.get, ALICE, order.id).version == _FIRST_VERSION + 1

    def test_to_different_ends_exactly_one_wins(self, database: Database, order: OrderRead) -> None:
        database.write(orders.transition, ALICE, order.id, "submitted")
        database.write(orders.transition, ALICE, order.id, "paid")
        results = at_once(
            lambda: database.write(orders.transition, ALICE, order.id, "shipped"),
            lambda: database.write(orders.transition, ALICE, order.id, "cancelled"),
        )

        assert losers(results) == {InvalidTransition: 1}

    def test_of_submitting_and_deleting_exactly_one_wins(self, database: Database, order: OrderRead) -> None:
        results = at_once(
            lambda: database.write(orders.transition, ALICE, order.id, "submitted"),
            lambda: database.write(orders.delete, ALICE, order.id),
        )

        assert losers(results) in ({NotFound: 1}, {OrderNotDeletable: 1})


class TestReferences:
    def test_of_many_creates_with_one_exactly_one_wins(self, database: Database) -> None:
        results = at_once(*[lambda: database.write(orders.create, ALICE, order_data())] * _MANY)

        assert losers(results) == {ReferenceTaken: _MANY - 1}
        assert len(database.read(order_lists.list_orders, ALICE, OrderQuery()).data) == 1

    def test_creates_with_different_ones_all_win(self, database: Database) -> None:
        data = [order_data(reference=str(number)) for number in range(_MANY)]
        results = at_once(*[lambda each=each: database.write(orders.create, ALICE, each) for each in data])

        assert losers(results) == {}


class TestChanges:
    def test_of_many_with_one_version_exactly_one_wins(self, database: Database, order: OrderRead) -> None:
        expected = Precondition(matches=frozenset({etag(_FIRST_VERSION)}))
        change = OrderUpdate(note="mine").to(orders.OrderChanges)
        results = at_once(*[lambda: database.write(orders.update, ALICE, order.id, change, expected)] * _MANY)

        assert losers(results) == {PreconditionFailed: _MANY - 1}

    def test_without_one_none_is_lost(self, database: Database, order: OrderRead) -> None:
        change = OrderUpdate.model_validate({"items": [{"sku": "A", "quantity": 1, "unit_price": "1.00"}] * 3}).to(
            orders.OrderChanges
        )
        results = at_once(*[lambda: database.write(orders.update, ALICE, order.id, change)] * _MANY)

        assert losers(results) == {}
        assert database.read(orders.get, ALICE, order.id).version == _FIRST_VERSION + _MANY
