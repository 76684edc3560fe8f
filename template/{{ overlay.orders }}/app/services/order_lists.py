"""Lists of orders."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth.principal import Principal
from app.db.lists import ListQuery, PageT, paginate
from app.db.models.orders import Order

_SUMMARY: Final = select(
    Order.id,
    Order.owner,
    Order.reference,
    Order.status,
    Order.customer_email,
    Order.currency,
    Order.note,
    Order.total,
    Order.item_count,
    Order.created_at,
    Order.updated_at,
).where(Order.live == 1)


def list_orders(session: Session, caller: Principal, query: ListQuery[PageT]) -> PageT:
    """Return the page of the caller's orders (an admin's: of all orders) that `query` asks for.

    Raises:
        InvalidCursor: the cursor was not made for this caller, sort and filter.
    """
    statement = _SUMMARY if caller.is_admin else _SUMMARY.where(Order.owner == caller.subject)
    return paginate(session, statement, Order, query, [caller.subject])
