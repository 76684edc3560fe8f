"""What can be done with orders. A caller sees and changes its own; an admin all."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Bundle, Session
from sqlalchemy.orm.attributes import set_committed_value

from app.auth.principal import Principal
from app.core import clock
from app.core.errors import Detail, NotFound
from app.core.failures.orders import InvalidTransition, OrderNotDeletable, OrderNotEditable, ReferenceTaken
from app.core.ids import new_id
from app.core.preconditions import UNCONDITIONAL, Precondition
from app.db.constraints import Explanations, explaining
from app.db.models.orders import Order, OrderItem
from app.observability.commits import once_committed
from app.services.order_content import OrderChanges, OrderContent, OrderDetails, OrderLine

TRANSITIONS: Final[dict[str, tuple[str, ...]]] = {
    "draft": ("submitted", "cancelled"),
    "submitted": ("paid", "cancelled"),
    "paid": ("shipped", "cancelled"),
    "shipped": (),
    "cancelled": (),
}
_DELETABLE = {"draft", "cancelled"}
_EDITABLE_ALWAYS = {"note"}

ORDERS_CREATED: Final = Counter("orders_created_total", "Orders that were created.")

# Asking first whether it is free would leave a gap for another request.
_BROKEN: Final[Explanations] = {"uq_orders_reference": ReferenceTaken}

# Rows rather than entities where nothing is changed: one statement, built once, and no identity map to fill. Bundles,
# since both tables may have columns of one name.
_ANY_ORDER: Final = (
    select(
        Bundle(
            "order",
            Order.id,
            Order.owner,
            Order.reference,
            Order.status,
            Order.customer_email,
            Order.currency,
            Order.note,
            Order.total,
            Order.version,
            Order.created_at,
            Order.updated_at,
        ),
        Bundle("item", OrderItem.sku, OrderItem.quantity, OrderItem.unit_price),
    )
    .join(OrderItem, OrderItem.order_id == Order.id)
    .where(Order.id == bindparam("id"), Order.live == 1)
    .order_by(OrderItem.position)
)
_OWN_ORDER: Final = _ANY_ORDER.where(Order.owner == bindparam("owner"))


def _missing(order_id: UUID) -> NotFound:
    return NotFound(f"Order {order_id} does not exist.")


def get(session: Session, caller: Principal, order_id: UUID) -> OrderDetails:
    """Return the order.

    Raises:
        NotFound: it does not exist, was deleted, or belongs to somebody else.
    """
    statement = _ANY_ORDER if caller.is_admin else _OWN_ORDER
    rows = session.execute(statement, {"id": order_id, "owner": caller.subject}).all()
    if not rows:
        raise _missing(order_id)
    return _details(rows[0].order, (row.item for row in rows))


def create(session: Session, caller: Principal, content: OrderContent) -> OrderDetails:
    """Return the new draft, which belongs to the caller.

    Raises:
        ReferenceTaken: the caller has another order of that reference.
    """
    now = clock.now()
    order = Order(id=new_id(), owner=caller.subject, status="draft", created_at=now, updated_at=now)
    _apply(order, content.as_changes())
    session.add(order)
    with explaining(session, _BROKEN):
        session.flush()
    once_committed(session, ORDERS_CREATED.inc)
    return _details(order, order.items)


def replace(
    session: Session,
    caller: Principal,
    order_id: UUID,
    content: OrderContent,
    precondition: Precondition = UNCONDITIONAL,
) -> OrderDetails:
    """Return the draft after all that a client decides was replaced by `content`.

    Raises:
        NotFound, PreconditionFailed, OrderNotEditable, ReferenceTaken: nothing was changed.
    """
    order = _locked(session, caller, order_id, precondition)
    if order.status != "draft":
        raise OrderNotEditable
    _change(session, order, content.as_changes())
    return _details(order, order.items)


def update(
    session: Session,
    caller: Principal,
    order_id: UUID,
    changes: OrderChanges,
    precondition: Precondition = UNCONDITIONAL,
) -> OrderDetails:
    """Return the order after `changes`; without any, nothing changes.

    Raises:
        NotFound, PreconditionFailed, OrderNotEditable, ReferenceTaken: nothing was changed.
    """
    order = _locked(session, caller, order_id, precondition)
    if order.status != "draft" and changes.keys() - _EDITABLE_ALWAYS:
        raise OrderNotEditable
    if changes:
        _change(session, order, changes)
    return _details(order, order.items)


def transition(
    session: Session, caller: Principal, order_id: UUID, to: str, precondition: Precondition = UNCONDITIONAL
) -> OrderDetails:
    """Return the order in its new status.

    Raises:
        NotFound, PreconditionFailed: nothing was changed.
        InvalidTransition: it cannot go to that status; of two concurrent calls, one gets this.
    """
    order = _locked(session, caller, order_id, precondition)
    allowed = TRANSITIONS[order.status]
    if to not in allowed:
        message = f"{order.status} -> {to}; allowed: {', '.join(allowed) or 'none'}"
        raise InvalidTransition(details=[Detail("status", InvalidTransition.code, message)])
    order.status = to
    _save(session, order)
    return _details(order, order.items)


def delete(session: Session, caller: Principal, order_id: UUID, precondition: Precondition = UNCONDITIONAL) -> None:
    """Delete the order, which frees its reference.

    Raises:
        NotFound, PreconditionFailed, OrderNotDeletable: nothing was changed.
    """
    order = _locked(session, caller, order_id, precondition)
    if order.status not in _DELETABLE:
        raise OrderNotDeletable
    order.deleted_at, order.live = clock.now(), None
    _save(session, order)


def _locked(session: Session, caller: Principal, order_id: UUID, precondition: Precondition) -> Order:
    """Return the order with its row locked, so that what is checked here is still true at the commit."""
    order = session.scalar(select(Order).where(Order.id == order_id, Order.live == 1).with_for_update())
    if order is None or not caller.may_see(order.owner):
        raise _missing(order_id)
    precondition.require(order.version)
    items = select(OrderItem).where(OrderItem.order_id == order.id).order_by(OrderItem.position)
    set_committed_value(order, "items", session.scalars(items).all())
    return order


def _change(session: Session, order: Order, changes: OrderChanges) -> None:
    if "items" in changes:
        # The positions of the old items must be free before the new ones take them.
        order.items = []
        session.flush()
    _apply(order, changes)
    _save(session, order)


def _save(session: Session, order: Order) -> None:
    order.version += 1
    order.updated_at = clock.now()
    with explaining(session, _BROKEN):
        session.flush()


def _apply(order: Order, changes: OrderChanges) -> None:
    order.reference = changes.get("reference", order.reference)
    order.customer_email = changes.get("customer_email", order.customer_email)
    order.currency = changes.get("currency", order.currency)
    order.note = changes.get("note", order.note)
    if "items" in changes:
        order.items = [_item(position, line) for position, line in enumerate(changes["items"])]
        order.item_count = len(order.items)
        order.total = sum((item.quantity * item.unit_price for item in order.items), Decimal(0))


def _item(position: int, line: OrderLine) -> OrderItem:
    return OrderItem(id=new_id(), position=position, sku=line.sku, quantity=line.quantity, unit_price=line.unit_price)


def _details(order: Any, items: Iterable[Any]) -> OrderDetails:  # noqa: ANN401 - entities, or rows with their attributes
    return OrderDetails(
        id=order.id,
        owner=order.owner,
        reference=order.reference,
        status=order.status,
        customer_email=order.customer_email,
        currency=order.currency,
        note=order.note,
        total=order.total,
        version=order.version,
        created_at=order.created_at,
        updated_at=order.updated_at,
        items=[OrderLine(sku=item.sku, quantity=item.quantity, unit_price=item.unit_price) for item in items],
    )
