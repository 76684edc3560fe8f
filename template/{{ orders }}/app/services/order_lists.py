"""Lists of orders."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.auth.principal import Principal
from app.db.keyset import Keyset, SortKey
from app.db.models.orders import Order
from app.schemas.orders import OrderPage, OrderQuery, OrderSummary

_SORTABLE: Final[dict[str, tuple[Any, type]]] = {
    "created_at": (Order.created_at, datetime),
    "updated_at": (Order.updated_at, datetime),
    "total": (Order.total, Decimal),
    "reference": (Order.reference, str),
}
_SUMMARY: Final = select(*(getattr(Order, name) for name in OrderSummary.model_fields)).where(Order.live == 1)


def list_orders(session: Session, caller: Principal, query: OrderQuery) -> OrderPage:
    """Return the page of the caller's orders (an admin's: of all orders) after the cursor, newest first by default.

    Raises:
        InvalidCursor: the cursor was not made for this caller, sort and filter.
    """
    keyset = _keyset(query.sort)
    scope = [caller.subject, query.sort, query.model_dump_json(exclude={"limit", "cursor", "sort"})]
    statement = _SUMMARY.where(*_filters(caller, query))
    rows = session.execute(keyset.page(statement, query.limit, query.cursor, scope)).all()
    page, has_more = rows[: query.limit], len(rows) > query.limit
    return OrderPage(
        data=[OrderSummary(**row._mapping) for row in page],  # noqa: SLF001 - the public name, so spelt by SQLAlchemy
        next_cursor=keyset.cursor(page[-1], scope) if has_more else None,
        has_more=has_more,
    )


def _keyset(sort: str) -> Keyset:
    """Return the order that `sort` asks for; a name that stands there again changes nothing."""
    keys: dict[str, SortKey] = {}
    for term in sort.split(","):
        name = term.removeprefix("-")
        keys.setdefault(name, SortKey(*_SORTABLE[name], descending=term.startswith("-")))
    # The id runs with the last key, so that an index can be read in one direction.
    last = next(reversed(keys.values()))
    return Keyset([*keys.values(), SortKey(Order.id, UUID, last.descending)])


def _filters(caller: Principal, query: OrderQuery) -> list[ColumnElement[bool]]:
    asked: Sequence[tuple[Callable[[Any], ColumnElement[bool]], object]] = (
        (Order.owner.__eq__, None if caller.is_admin else caller.subject),
        (Order.status.in_, query.status or None),
        (Order.reference.__eq__, query.reference),
        (Order.customer_email.__eq__, query.customer_email),
        (Order.currency.__eq__, query.currency),
        (Order.created_at.__gt__, query.created_after),
        (Order.created_at.__lt__, query.created_before),
        (Order.total.__ge__, query.min_total),
        (Order.total.__le__, query.max_total),
    )
    return [condition(value) for condition, value in asked if value is not None]
