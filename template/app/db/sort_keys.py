"""What a list is sorted by: one column, how its values stand in a cursor, and how they compare on every database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Float,
    Integer,
    Numeric,
    TypeDecorator,
    case,
    false,
    literal,
    or_,
    true,
)
from sqlalchemy import Enum as EnumType
from sqlalchemy.types import NullType, TypeEngine

from app.db import dialect

Column = Any  # an InstrumentedAttribute; SQLAlchemy's generics cannot name "of any type"

# Larger than any stored value; drivers cannot send larger numbers.
_TOO_LARGE = Decimal(10**16)
_LARGEST_INTEGER = 2**63
# In a cursor each character takes up to 16; see `app/core/pagination.py`.
_LONGEST_TEXT = 500
_NULL = "null"
_VALUE = "="


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _amount(text: str) -> Decimal:
    value = Decimal(text)
    if not abs(value) < _TOO_LARGE:
        raise ValueError(text)
    return value


def _integer(text: str) -> int:
    value = int(text)
    if not -_LARGEST_INTEGER <= value < _LARGEST_INTEGER:
        raise ValueError(text)
    return value


def _boolean(text: str) -> bool:
    return text == "True"


def _member(kind: type[Enum], name: str) -> Enum:
    if name not in kind.__members__:
        raise ValueError(name)
    return kind[name]


def _text(text: str) -> str:
    if b"\0" in text.encode():
        raise ValueError(text)
    return text


_PARSERS: Final[dict[type, Callable[[str], Any]]] = {
    bool: _boolean,
    int: _integer,
    date: date.fromisoformat,
    datetime: _instant,
    Decimal: _amount,
    UUID: UUID,
    str: _text,
}


def python_type(stored: TypeEngine[Any]) -> type:
    """Return the type of the values that a column of the type `stored` gives.

    Raises:
        TypeError: it does not tell. A `TypeDecorator` does by a `python_type` of its own.
    """
    try:
        return (stored.enum_class or str) if isinstance(stored, EnumType) else stored.python_type
    except NotImplementedError:
        raise TypeError(f"{type(stored).__name__} has no python_type.") from None


def _python_type(stored: TypeEngine[Any]) -> type | None:
    """Return the type of the values that a column of the type `stored` gives; None if it does not tell."""
    return None if isinstance(stored, TypeDecorator | NullType) else python_type(stored)


def _refusal(kind: type, stored: TypeEngine[Any]) -> str | None:
    """Return why a column of the type `stored` cannot be sorted by its values as `kind`; None if it can be."""
    if kind not in _PARSERS and not issubclass(kind, Enum):
        known = ", ".join(each.__name__ for each in _PARSERS)
        return f"there are cursors for {known} and enums, and none for {kind.__name__}"
    gives = _python_type(stored)
    if gives not in {None, kind}:
        return f"its values are {gives.__name__ if gives else gives}, and not {kind.__name__}"
    if isinstance(stored, DateTime):
        return "its instants have no zone on some databases; let its type be UTCDateTime"
    if isinstance(stored, Numeric | Float):
        return "some databases round its values; let its type be Money, or a whole number of a smaller unit"
    if kind is str and not isinstance(stored, EnumType | NullType):
        length = getattr(stored, "length", None)
        if length is None or length > _LONGEST_TEXT:
            return f"a text of more than {_LONGEST_TEXT} characters does not fit into a cursor"
    return None


@dataclass(frozen=True, slots=True)
class SortKey:
    """A column to sort by, the Python type of its values, and the direction.

    `nullable` is what the column says of itself, and true for what is no column of a table; say so where a column that
    cannot be null comes from an outer join.

    A column that can be null and an enum cost more: the database may have to sort the rows that the filters leave.

    Raises:
        TypeError: such a column cannot be sorted by; the message says why.
    """

    column: Column
    type: type
    descending: bool
    nullable: bool | None = None

    def __post_init__(self) -> None:
        why = _refusal(self.type, self.column.type)
        if why is not None:
            msg = f"The list cannot be sorted by {self.column.key}: {why}."
            raise TypeError(msg)
        if self.nullable is None:
            object.__setattr__(self, "nullable", getattr(self.column, "nullable", True))

    def written(self, value: object) -> str:
        """Return `value` as it stands in a cursor."""
        if value is None:
            return _NULL
        text = _written(value)
        return f"{_VALUE}{text}" if self.nullable else text

    def read(self, text: str) -> Any:  # noqa: ANN401 - of the column's type
        """Return the value that was written as `text`.

        Raises:
            ValueError, ArithmeticError: it is not one.
        """
        if self.nullable:
            if text == _NULL:
                return None
            text = text.removeprefix(_VALUE)
        value = _member(self.type, text) if issubclass(self.type, Enum) else _PARSERS[self.type](text)
        ranks = self._ranks
        if ranks and value not in ranks:
            raise ValueError(text)
        return value

    def same(self, value: object) -> ColumnElement[bool]:
        """Return whether a row has `value`."""
        return self.column.is_(None) if value is None else self._compared == self._bound(value)

    def after(self, value: object) -> ColumnElement[bool]:
        """Return whether a row comes after those with `value`."""
        if value is None:
            return false() if self.descending else self.column.is_not(None)
        if not self.descending:
            return self._compared > self._bound(value)
        return self._or_null(self._compared < self._bound(value))

    def from_here(self, value: object) -> ColumnElement[bool]:
        """Return whether a row has `value` or comes after those that have."""
        if value is None:
            return self.column.is_(None) if self.descending else true()
        if not self.descending:
            return self._compared >= self._bound(value)
        return self._or_null(self._compared <= self._bound(value))

    def order(self) -> ColumnElement[Any]:
        """Return the expression for ORDER BY."""
        order = self._compared.desc() if self.descending else self._compared.asc()
        if not self.nullable or dialect.NULL_IS_LEAST:
            return order
        return order.nulls_last() if self.descending else order.nulls_first()

    def _or_null(self, condition: ColumnElement[bool]) -> ColumnElement[bool]:
        return or_(condition, self.column.is_(None)) if self.nullable else condition

    @property
    def _ranks(self) -> list[Any]:
        """The values of an enum in their order, which databases do not agree on; of all other columns none."""
        stored = self.column.type
        return list(stored.enum_class or stored.enums) if isinstance(stored, EnumType) else []

    @property
    def _compared(self) -> Column:
        ranks = self._ranks
        if not ranks:
            return self.column
        stored = self.column.type
        return case(*((self.column == literal(each, stored), rank) for rank, each in enumerate(ranks)))

    def _bound(self, value: Any) -> Any:  # noqa: ANN401 - of the column's type
        stored = self.column.type
        if isinstance(stored, EnumType):
            return self._ranks.index(value)
        if isinstance(stored, Boolean):
            # SQLAlchemy refuses to compare with True itself.
            return literal(value, stored)
        # Some databases refuse what fits into no column of that size.
        return literal(value, BigInteger()) if isinstance(stored, Integer) else value


def _written(value: object) -> str:
    if isinstance(value, Enum):
        return value.name
    return value.isoformat() if isinstance(value, date) else str(value)
