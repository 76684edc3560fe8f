"""Lists of orders."""

from collections.abc import Callable
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
    asked: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "reference": Order.reference.__eq__,
        "customer_email": Order.customer_email.__eq__,
        "currency": Order.currency.__eq__,
        "created_after": Order.created_at.__gt__,
        "created_before": Order.created_at.__lt__,
        "min_total": Order.total.__ge__,
        "max_total": Order.total.__le__,
    }
    filters = [condition(value) for name, condition in asked.items() if (value := getattr(query, name)) is not None]
    if query.status:
        filters.append(Order.status.in_(query.status))
    if not caller.is_admin:
        filters.append(Order.owner == caller.subject)
    return filters
