"""What can be done with orders. A caller sees and changes its own; an admin all."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app.auth.principal import Principal
from app.core import clock
from app.core.errors import Conflict, Detail, NotFound
from app.core.ids import new_id
from app.core.preconditions import UNCONDITIONAL, Precondition
from app.db.models.orders import Order, OrderItem
from app.schemas.orders import OrderCreate, OrderItemRead, OrderRead, OrderStatus, OrderUpdate
from app.schemas.orders import OrderItem as ItemInput

TRANSITIONS: Final[dict[str, tuple[OrderStatus, ...]]] = {
    "draft": ("submitted", "cancelled"),
    "submitted": ("paid", "cancelled"),
    "paid": ("shipped", "cancelled"),
    "shipped": (),
    "cancelled": (),
}
_DELETABLE = {"draft", "cancelled"}
_EDITABLE_ALWAYS = {"note"}


class ReferenceTaken(Conflict):
    code = "reference_taken"
    default = "Another order of the same owner has this reference."


class InvalidTransition(Conflict):
    code = "invalid_transition"
    default = "The order cannot go to that status."


class OrderNotEditable(Conflict):
    code = "order_not_editable"
    default = "Only the note of an order can be changed once it was submitted."


class OrderNotDeletable(Conflict):
    code = "order_not_deletable"
    default = "Only drafts and cancelled orders can be deleted."


_COLUMNS: Final = tuple(name for name in OrderRead.model_fields if name != "items")

# Rows rather than entities where nothing is changed: one statement, built once, and no identity map to fill.
_ANY_ORDER: Final = (
    select(
        *(getattr(Order, name) for name in _COLUMNS),
        *(getattr(OrderItem, name) for name in OrderItemRead.model_fields),
    )
    .join(OrderItem, OrderItem.order_id == Order.id)
    .where(Order.id == bindparam("id"), Order.live == 1)
    .order_by(OrderItem.position)
)
_OWN_ORDER: Final = _ANY_ORDER.where(Order.owner == bindparam("owner"))


def _missing(order_id: UUID) -> NotFound:
    return NotFound(f"Order {order_id} does not exist.")


def get(session: Session, caller: Principal, order_id: UUID) -> OrderRead:
    """Return the order.

    Raises:
        NotFound: it does not exist, was deleted, or belongs to somebody else.
    """
    statement = _ANY_ORDER if caller.is_admin else _OWN_ORDER
    rows = session.execute(statement, {"id": order_id, "owner": caller.subject}).mappings().all()
    if not rows:
        raise _missing(order_id)
    items = [{name: row[name] for name in OrderItemRead.model_fields} for row in rows]
    return OrderRead.model_validate({**{name: rows[0][name] for name in _COLUMNS}, "items": items})


def create(session: Session, caller: Principal, data: OrderCreate) -> OrderRead:
    """Return the new draft, which belongs to the caller.

    Raises:
        ReferenceTaken: the caller has another order of that reference.
    """
    now = clock.now()
    order = Order(id=new_id(), owner=caller.subject, status="draft", created_at=now, updated_at=now)
    _apply(order, data.model_dump(exclude={"items"}), data.items)
    session.add(order)
    with _reference_conflicts():
        session.flush()
    return _read(order)


def replace(
    session: Session, caller: Principal, order_id: UUID, data: OrderCreate, precondition: Precondition = UNCONDITIONAL
) -> OrderRead:
    """Return the draft after all that a client decides was replaced by `data`.

    Raises:
        NotFound, PreconditionFailed, OrderNotEditable, ReferenceTaken: nothing was changed.
    """
    order = _locked(session, caller, order_id, precondition)
    if order.status != "draft":
        raise OrderNotEditable
    _change(session, order, data.model_dump(exclude={"items"}), data.items)
    return _read(order)


def update(
    session: Session, caller: Principal, order_id: UUID, data: OrderUpdate, precondition: Precondition = UNCONDITIONAL
) -> OrderRead:
    """Return the order after the fields that were set in `data` were changed; without any, nothing is.

    Raises:
        NotFound, PreconditionFailed, OrderNotEditable, ReferenceTaken: nothing was changed.
    """
    order = _locked(session, caller, order_id, precondition)
    if order.status != "draft" and data.model_fields_set - _EDITABLE_ALWAYS:
        raise OrderNotEditable
    if data.model_fields_set:
        items = data.items if "items" in data.model_fields_set else None
        _change(session, order, data.model_dump(exclude={"items"}, exclude_unset=True), items)
    return _read(order)


def transition(
    session: Session, caller: Principal, order_id: UUID, to: OrderStatus, precondition: Precondition = UNCONDITIONAL
) -> OrderRead:
    """Return the order in its new status.

    Raises:
        NotFound, PreconditionFailed: nothing was changed.
        InvalidTransition: its status does not lead there; of two at once, one gets this.
    """
    order = _locked(session, caller, order_id, precondition)
    allowed = TRANSITIONS[order.status]
    if to not in allowed:
        message = f"{order.status} -> {to}; allowed: {', '.join(allowed) or 'none'}"
        raise InvalidTransition(details=[Detail("status", InvalidTransition.code, message)])
    _change(session, order, {"status": to}, None)
    return _read(order)


def delete(session: Session, caller: Principal, order_id: UUID, precondition: Precondition = UNCONDITIONAL) -> None:
    """Delete the order, which frees its reference.

    Raises:
        NotFound, PreconditionFailed, OrderNotDeletable: nothing was changed.
    """
    order = _locked(session, caller, order_id, precondition)
    if order.status not in _DELETABLE:
        raise OrderNotDeletable
    order.deleted_at, order.live = clock.now(), None
    _change(session, order, {}, None)


def _locked(session: Session, caller: Principal, order_id: UUID, precondition: Precondition) -> Order:
    """Return the order with its row locked, so that what is checked here is still true at the commit."""
    order = session.scalar(select(Order).where(Order.id == order_id, Order.live == 1).with_for_update())
    if order is None or not caller.may_see(order.owner):
        raise _missing(order_id)
    precondition.require(order.version)
    items = select(OrderItem).where(OrderItem.order_id == order.id).order_by(OrderItem.position)
    set_committed_value(order, "items", session.scalars(items).all())
    return order


def _change(session: Session, order: Order, values: dict[str, Any], items: Sequence[ItemInput] | None) -> None:
    if items is not None:
        # The positions of the old items must be free before the new ones take them.
        order.items = []
        session.flush()
    _apply(order, values, items)
    order.version += 1
    order.updated_at = clock.now()
    with _reference_conflicts():
        session.flush()


def _apply(order: Order, values: dict[str, Any], items: Iterable[ItemInput] | None) -> None:
    for name, value in values.items():
        setattr(order, name, value)
    if items is not None:
        order.items = [
            OrderItem(id=new_id(), position=position, **item.model_dump()) for position, item in enumerate(items)
        ]
        order.item_count = len(order.items)
        order.total = sum((item.quantity * item.unit_price for item in order.items), Decimal(0))


@contextmanager
def _reference_conflicts() -> Generator[None]:
    try:
        yield
    except IntegrityError as error:
        # The statements inside can break one constraint only. Asking first would leave a gap for another request.
        raise ReferenceTaken from error


def _read(order: Order) -> OrderRead:
    items = [{name: getattr(item, name) for name in OrderItemRead.model_fields} for item in order.items]
    return OrderRead.model_validate({**{name: getattr(order, name) for name in _COLUMNS}, "items": items})
