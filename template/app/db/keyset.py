"""Keyset pagination in SQL: the rows after one row, in an order that ends with the id.

A column sorts by what it holds, enums in the order in which they are declared. Null is less than every value, on all
databases: it comes first, and last where the order descends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, or_

from app.core.errors import InvalidCursor
from app.core.pagination import decode_cursor, encode_cursor
from app.db.sort_keys import SortKey

__all__ = ["Keyset", "SortKey"]


@dataclass(frozen=True, slots=True)
class Keyset:
    """An order of rows: the keys by rank, the last of which is unique and breaks all ties."""

    keys: Sequence[SortKey]

    def page(self, statement: Select[Any], limit: int, cursor: str | None, scope: Sequence[str]) -> Select[Any]:
        """Return `statement` for the `limit` rows after `cursor`, and one more that tells whether there are any.

        Raises:
            InvalidCursor: the cursor is not one of this list.
        """
        if cursor is not None:
            statement = statement.where(self._after(self._values(cursor, scope)))
        return statement.order_by(*(key.order() for key in self.keys)).limit(limit + 1)

    def cursor(self, row: Row[Any], scope: Sequence[str]) -> str:
        """Return the cursor that points after `row`."""
        return encode_cursor([key.written(getattr(row, key.column.key)) for key in self.keys], scope)

    def _values(self, cursor: str, scope: Sequence[str]) -> list[Any]:
        texts = decode_cursor(cursor, scope)
        # Anybody can make a cursor with the right digest: each value must be one that a row can have.
        try:
            values = [key.read(text) for key, text in zip(self.keys, texts, strict=True)]
        except (ValueError, ArithmeticError):
            raise InvalidCursor from None
        if [key.written(value) for key, value in zip(self.keys, values, strict=True)] != texts:
            raise InvalidCursor
        return values

    def _after(self, values: Sequence[Any]) -> ColumnElement[bool]:
        ranked = list(zip(self.keys, values, strict=True))
        branches = [
            and_(*(key.same(value) for key, value in ranked[:rank]), ranked[rank][0].after(ranked[rank][1]))
            for rank in range(len(ranked))
        ]
        first, value = ranked[0]
        # Redundant, but most planners need it to use a range of the index.
        return and_(first.from_here(value), or_(*branches))
