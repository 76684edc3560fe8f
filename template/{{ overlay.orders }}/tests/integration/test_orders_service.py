from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import get_args
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import NotFound, PreconditionFailed
from app.core.failures.orders import InvalidTransition, OrderNotDeletable, OrderNotEditable, ReferenceTaken
from app.core.ids import new_id
from app.core.preconditions import Precondition, etag
from app.db.models.orders import Order, OrderItem
from app.schemas.orders import OrderStatus
from app.services import orders
from app.services.order_content import OrderChanges, OrderDetails
from app.services.orders import TRANSITIONS
from tests.orders import ALICE, BOB, ROOT, WAYS, order_data

_STALE = Precondition(matches=frozenset({etag(99)}))
_PAST_DRAFT: tuple[OrderStatus, ...] = ("submitted", "paid", "shipped", "cancelled")


def order_in(session: Session, status: OrderStatus, **changes: object) -> OrderDetails:
    order = orders.create(session, ALICE, order_data(**changes))
    for step in WAYS[status]:
        order = orders.transition(session, ALICE, order.id, step)
    return order


@pytest.fixture
def order(session: Session) -> OrderDetails:
    return order_in(session, "draft")


class TestCreate:
    def test_it_is_a_draft_of_the_caller(self, order: OrderDetails) -> None:
        assert (order.owner, order.status, order.version) == ("alice", "draft", 1)
        assert (order.id.version, order.created_at) == (7, order.updated_at)

    def test_the_service_adds_up_the_total(self, order: OrderDetails) -> None:
        assert order.total == Decimal("39.85")

    def test_the_largest_total_is_exact(self, session: Session) -> None:
        line = {"sku": "A", "quantity": 10_000, "unit_price": "9999999999.99"}
        order = orders.create(session, ALICE, order_data(items=[line] * 100))

        assert orders.get(session, ALICE, order.id).total == Decimal("9999999999990000.00")

    def test_items_keep_their_order(self, session: Session) -> None:
        lines = [{"sku": f"S{n * 7 % 10}", "quantity": 1, "unit_price": "1.00"} for n in range(10)]
        order = orders.create(session, ALICE, order_data(items=lines))
        session.expire_all()

        assert [line["sku"] for line in lines] == [item.sku for item in orders.get(session, ALICE, order.id).items]

    def test_a_reference_is_taken_once_by_each_owner(self, session: Session, order: OrderDetails) -> None:
        with pytest.raises(ReferenceTaken), session.begin_nested():
            orders.create(session, ALICE, order_data(reference=order.reference))

        assert orders.create(session, BOB, order_data(reference=order.reference)).owner == "bob"

    def test_references_are_compared_by_code_point(self, session: Session) -> None:
        for reference in ("a", "A", "á", "a ", "a\u0301"):
            assert reference == orders.create(session, ALICE, order_data(reference=reference)).reference


class TestGet:
    def test_it_is_what_was_created(self, session: Session, order: OrderDetails) -> None:
        session.expire_all()

        assert order == orders.get(session, ALICE, order.id)

    @pytest.mark.parametrize("number", [UUID(int=0), new_id()], ids=["zero", "unknown"])
    def test_there_is_none_with_another_id(self, session: Session, number: UUID) -> None:
        with pytest.raises(NotFound, match=str(number)):
            orders.get(session, ALICE, number)


class TestOwnership:
    def test_for_others_it_does_not_exist(self, session: Session, order: OrderDetails) -> None:
        for call in (
            lambda: orders.get(session, BOB, order.id),
            lambda: orders.replace(session, BOB, order.id, order_data()),
            lambda: orders.update(session, BOB, order.id, OrderChanges(note="mine")),
            lambda: orders.transition(session, BOB, order.id, "submitted"),
            lambda: orders.delete(session, BOB, order.id),
            lambda: orders.delete(session, BOB, order.id, _STALE),
        ):
            with pytest.raises(NotFound):
                call()

        assert order == orders.get(session, ALICE, order.id)

    def test_an_admin_may_do_all_and_the_owner_stays(self, session: Session, order: OrderDetails) -> None:
        orders.update(session, ROOT, order.id, OrderChanges(note="checked"))
        orders.transition(session, ROOT, order.id, "cancelled")

        assert orders.get(session, ROOT, order.id).owner == "alice"
        orders.delete(session, ROOT, order.id)


class TestTransitions:
    @pytest.mark.parametrize(("start", "to"), list(product(WAYS, WAYS)))
    def test_each_status_leads_where_the_contract_says(
        self, session: Session, start: OrderStatus, to: OrderStatus
    ) -> None:
        order = order_in(session, start)
        if to in TRANSITIONS[start]:
            assert orders.transition(session, ALICE, order.id, to).status == to
            return
        with pytest.raises(InvalidTransition) as failure:
            orders.transition(session, ALICE, order.id, to)

        (detail,) = failure.value.details
        allowed = ", ".join(TRANSITIONS[start]) or "none"
        assert detail == ("status", "invalid_transition", f"{start} -> {to}; allowed: {allowed}")

    def test_the_table_is_the_contracts(self) -> None:
        assert TRANSITIONS == {
            "draft": ("submitted", "cancelled"),
            "submitted": ("paid", "cancelled"),
            "paid": ("shipped", "cancelled"),
            "shipped": (),
            "cancelled": (),
        }
        assert set(get_args(OrderStatus)) == TRANSITIONS.keys()

    def test_items_and_total_stay(self, session: Session, order: OrderDetails) -> None:
        submitted = orders.transition(session, ALICE, order.id, "submitted")

        assert (order.items, order.total) == (submitted.items, submitted.total)


class TestEditing:
    def test_a_draft_is_replaced_as_a_whole(self, session: Session, order: OrderDetails) -> None:
        line = {"sku": "POT", "quantity": 3, "unit_price": "5.00"}
        new = order_data(reference="new", customer_email="b@example.com", currency="CZK", note=None, items=[line])
        replaced = orders.replace(session, ALICE, order.id, new)
        session.expire_all()

        assert replaced == orders.get(session, ALICE, order.id)
        assert (replaced.reference, replaced.currency, replaced.note) == ("new", "CZK", None)
        assert ([item.sku for item in replaced.items], replaced.total) == (["POT"], Decimal("15.00"))
        assert (order.id, order.created_at, 2) == (replaced.id, replaced.created_at, replaced.version)

    def test_replaced_items_are_gone(self, session: Session, order: OrderDetails) -> None:
        for count in (5, 1, 3):
            lines = [{"sku": "A", "quantity": 1, "unit_price": "1.00"}] * count
            orders.replace(session, ALICE, order.id, order_data(items=lines))

            rows = select(func.count()).select_from(OrderItem).where(OrderItem.order_id == order.id)
            assert count == session.scalar(rows)

    def test_only_the_fields_that_were_sent_change(self, session: Session, order: OrderDetails) -> None:
        changed = orders.update(session, ALICE, order.id, OrderChanges(reference="new"))

        assert changed == replace(order, reference="new", version=2, updated_at=changed.updated_at)

    def test_an_empty_change_changes_nothing(self, session: Session, order: OrderDetails) -> None:
        assert order == orders.update(session, ALICE, order.id, OrderChanges())
        assert order == orders.get(session, ALICE, order.id)

    def test_a_change_is_a_new_version_at_a_new_time(
        self, session: Session, order: OrderDetails, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later = order.updated_at + timedelta(hours=1)
        monkeypatch.setattr(clock, "now", lambda: later)
        changed = orders.update(session, ALICE, order.id, OrderChanges(note=None))

        assert (changed.version, changed.updated_at, changed.created_at) == (2, later, order.created_at)

    @pytest.mark.parametrize("status", _PAST_DRAFT)
    def test_once_submitted_only_the_note_changes(self, session: Session, status: OrderStatus) -> None:
        order = order_in(session, status)
        assert orders.update(session, ALICE, order.id, OrderChanges(note="late")).note == "late"

        with pytest.raises(OrderNotEditable):
            orders.replace(session, ALICE, order.id, order_data())
        for change in (OrderChanges(reference="new"), OrderChanges(note="x", currency="EUR")):
            with pytest.raises(OrderNotEditable):
                orders.update(session, ALICE, order.id, change)

    def test_a_taken_reference_is_refused(self, session: Session, order: OrderDetails) -> None:
        other = orders.create(session, ALICE, order_data(reference="other"))

        with pytest.raises(ReferenceTaken), session.begin_nested():
            orders.update(session, ALICE, other.id, OrderChanges(reference=order.reference))
        with pytest.raises(ReferenceTaken), session.begin_nested():
            orders.replace(session, ALICE, other.id, order_data(reference=order.reference))


class TestDelete:
    @pytest.mark.parametrize("status", ["draft", "cancelled"])
    def test_it_is_gone_and_its_reference_is_free(self, session: Session, status: OrderStatus) -> None:
        order = order_in(session, status)
        orders.delete(session, ALICE, order.id)

        for again in (orders.get, orders.delete):
            with pytest.raises(NotFound):
                again(session, ALICE, order.id)
        assert order.id != order_in(session, "draft").id

    def test_a_reference_can_be_freed_many_times(self, session: Session) -> None:
        for _ in range(3):
            orders.delete(session, ALICE, order_in(session, "draft").id)

        kept = select(func.count()).select_from(Order).where(Order.deleted_at.is_not(None))
        assert session.scalar(kept) == 3

    @pytest.mark.parametrize("status", ["submitted", "paid", "shipped"])
    def test_an_order_under_way_stays(self, session: Session, status: OrderStatus) -> None:
        order = order_in(session, status)

        with pytest.raises(OrderNotDeletable):
            orders.delete(session, ALICE, order.id)


class TestPreconditions:
    def test_an_expected_version_is_changed(self, session: Session, order: OrderDetails) -> None:
        for version in (1, 2):
            expected = Precondition(matches=frozenset({etag(version)}))
            orders.update(session, ALICE, order.id, OrderChanges(note=str(version)), expected)

    def test_another_version_is_left_alone(self, session: Session, order: OrderDetails) -> None:
        for call in (
            lambda: orders.replace(session, ALICE, order.id, order_data(), _STALE),
            lambda: orders.update(session, ALICE, order.id, OrderChanges(note="x"), _STALE),
            lambda: orders.update(session, ALICE, order.id, OrderChanges(), _STALE),
            lambda: orders.transition(session, ALICE, order.id, "submitted", _STALE),
            lambda: orders.delete(session, ALICE, order.id, _STALE),
        ):
            with pytest.raises(PreconditionFailed):
                call()

        assert order == orders.get(session, ALICE, order.id)
