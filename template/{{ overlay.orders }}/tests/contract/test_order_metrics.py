"""Orders are counted once they are there."""

import pytest
from sqlalchemy.orm import Session

from app.db.database import Database
from app.services import orders
from tests.metrics import value_of
from tests.orders import ALICE, order_content, order_data
from tests.requests import Caller

_SAMPLE = "orders_created_total"


def test_one_that_is_created_is_counted(alice: Caller) -> None:
    before = value_of(_SAMPLE)
    alice.post("/v1/orders", json=order_content())

    assert value_of(_SAMPLE) == before + 1


def test_one_that_is_refused_is_not(alice: Caller) -> None:
    alice.post("/v1/orders", json=order_content())
    before = value_of(_SAMPLE)
    seen = [alice.post("/v1/orders", json=each).status_code for each in (order_content(), order_content(items=[]))]

    assert seen == [409, 422]
    assert value_of(_SAMPLE) == before


def test_one_that_is_taken_back_is_not(database: Database) -> None:
    def fail(session: Session) -> None:
        orders.create(session, ALICE, order_data())
        raise LookupError

    before = value_of(_SAMPLE)
    with pytest.raises(LookupError):
        database.write(fail)
    assert value_of(_SAMPLE) == before


def test_they_are_shown(alice: Caller) -> None:
    alice.post("/v1/orders", json=order_content())

    assert f"\n{_SAMPLE} {value_of(_SAMPLE)}\n" in alice.get("/metrics").text
