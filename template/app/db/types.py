"""Column types that mean the same on every database."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Dialect, String, TypeDecorator
from sqlalchemy.types import TypeEngine

from app.db import dialect as database

_CENT = Decimal("0.01")


class UTCDateTime(TypeDecorator[datetime]):
    """An instant, to the microsecond: aware datetimes in, aware datetimes in UTC out."""

    impl = database.TIMESTAMP
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a naive datetime says no instant"
            raise ValueError(msg)
        utc = value.astimezone(UTC)
        return utc if database.TIMESTAMP.timezone else utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ExactText(TypeDecorator[str]):
    """Text of at most `length` characters that compares and sorts by code point: no case, accents or padding."""

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    @property
    def python_type(self) -> type[str]:
        return str

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(database.exact_text(self.length))


class Money(TypeDecorator[Decimal]):
    """An amount with two decimals, stored in hundredths: exact and ordered on every database."""

    impl = BigInteger
    cache_ok = True

    @property
    def python_type(self) -> type[Decimal]:
        return Decimal

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else int(value.scaleb(2).to_integral_exact())

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else value * _CENT
