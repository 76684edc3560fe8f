"""Keyset pagination in SQL: the rows after one row, in an order that ends with the id."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, or_

from app.core.errors import InvalidCursor
from app.core.pagination import decode_cursor, encode_cursor

Column = Any  # an InstrumentedAttribute; SQLAlchemy's generics cannot name "of any type"

# Above all that a column holds; a comparison with more would not fit on the wire.
_TOO_LARGE = Decimal(10**16)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _amount(text: str) -> Decimal:
    value = Decimal(text)
    if not abs(value) < _TOO_LARGE:
        raise ValueError(text)
    return value


def _text(text: str) -> str:
    if b"\0" in text.encode():
        raise ValueError(text)
    return text


_PARSERS: dict[type, Callable[[str], Any]] = {datetime: _instant, Decimal: _amount, UUID: UUID, str: _text}


def _written(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


class SortKey(NamedTuple):
    """A column to sort by, the Python type of its values, and the direction."""

    column: Column
    type: type
    descending: bool

    def after(self, value: object) -> ColumnElement[bool]:
        return self.column < value if self.descending else self.column > value

    def from_here(self, value: object) -> ColumnElement[bool]:
        return self.column <= value if self.descending else self.column >= value

    def order(self) -> ColumnElement[Any]:
        return self.column.desc() if self.descending else self.column.asc()


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
        return encode_cursor([_written(getattr(row, key.column.key)) for key in self.keys], scope)

    def _values(self, cursor: str, scope: Sequence[str]) -> list[Any]:
        texts = decode_cursor(cursor, scope)
        # Anybody can make a cursor with the right digest: each value must be one that a row can have.
        try:
            values = [_PARSERS[key.type](text) for key, text in zip(self.keys, texts, strict=True)]
        except (ValueError, ArithmeticError):
            raise InvalidCursor from None
        if [_written(value) for value in values] != texts:
            raise InvalidCursor
        return values

    def _after(self, values: Sequence[Any]) -> ColumnElement[bool]:
        ranked = list(zip(self.keys, values, strict=True))
        branches = [
            and_(*(key.column == value for key, value in ranked[:rank]), ranked[rank][0].after(ranked[rank][1]))
            for rank in range(len(ranked))
        ]
        first, value = ranked[0]
        # Implied by the branches, but without it only MariaDB sees a range in the index.
        return and_(first.from_here(value), or_(*branches))
