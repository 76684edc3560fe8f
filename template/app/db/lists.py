"""Lists of rows, a page at a time."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.db.keyset import Keyset, SortKey
from app.db.models.base import Identified
from app.db.sort_keys import python_type
from app.schemas.lists import ListQuery, PageT

__all__ = ["ListQuery", "PageT", "paginate"]


def paginate(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    table: type[Identified],
    query: ListQuery[PageT],
    scope: Sequence[str],
) -> PageT:
    """Return the page of `statement` that `query` asks for; its sorts and filters are columns of `table`.

    `scope` is what else decides what is in the list, such as the caller: a cursor is of no use in another one.

    Raises:
        InvalidCursor: the cursor was not made for this list, sort and filters.
    """
    asked = query.model_dump_json(exclude={"limit", "cursor", "sort"})
    scope = [*scope, query.chosen_sort, asked]
    keyset = _keyset(table, query)
    conditions = (each.compare(getattr(table, each.column), value) for each, value in query.chosen_filters())
    found = session.execute(keyset.page(statement.where(*conditions), query.limit, query.cursor, scope)).all()
    rows, has_more = found[: query.limit], len(found) > query.limit
    return query.of_rows(rows, keyset.cursor(rows[-1], scope) if has_more else None)


def _keyset(table: type[Identified], query: ListQuery[Any]) -> Keyset:
    order = query.sorts.order(query.chosen_sort)
    # The id runs with the last column, so that an index can be read in one direction.
    order.setdefault("id", list(order.values())[-1])
    columns = ((getattr(table, name), descending) for name, descending in order.items())
    return Keyset([SortKey(column, python_type(column.type), descending) for column, descending in columns])
