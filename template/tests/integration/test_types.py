from collections.abc import Generator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from app.db.database import Database
from app.db.types import ExactText, Money, UTCDateTime

_INSTANT = datetime(2026, 1, 31, 9, 30, 0, 123456, UTC)
_LARGEST = Decimal("9999999999.99") * 10_000 * 100
# By code point; a collation would fold, pad or sort them otherwise.
_TEXTS = ["", " ", "A", "A ", "B", "a", "a\u0301", "aa", "b", "ß", "á", "ﬁ", "\ufffd", "🍵", "🍵" * 64]


class Base(DeclarativeBase):
    """Not the service's: these tests need a table in every service."""


class Value(Base):
    __tablename__ = "values_of_the_tests"

    id: Mapped[int] = mapped_column(primary_key=True)
    instant: Mapped[datetime | None] = mapped_column(UTCDateTime)
    text: Mapped[str | None] = mapped_column(ExactText(64), unique=True)
    amount: Mapped[Decimal | None] = mapped_column(Money)


@pytest.fixture(scope="module", autouse=True)
def _table(shared_database: Database) -> Generator[None]:
    Base.metadata.create_all(shared_database.writer)
    yield
    Base.metadata.drop_all(shared_database.writer)


def store(session: Session, **columns: object) -> int:
    value = Value(**columns)
    session.add(value)
    session.flush()
    session.expire_all()
    return value.id


class TestUTCDateTime:
    @pytest.mark.parametrize("hours", [-12, -1.5, 0, 5.75, 14])
    def test_it_is_the_same_instant_from_any_zone(self, session: Session, hours: float) -> None:
        zone = timezone(timedelta(hours=hours))
        number = store(session, instant=_INSTANT.astimezone(zone))

        found = session.scalars(select(Value.instant).where(Value.instant == _INSTANT)).all()

        assert found == [_INSTANT]
        assert session.get_one(Value, number).instant == _INSTANT
        assert found[0] is not None
        assert found[0].tzinfo is UTC

    @pytest.mark.parametrize("microsecond", [0, 1, 499_999, 500_000, 999_999])
    def test_it_keeps_microseconds(self, session: Session, microsecond: int) -> None:
        number = store(session, instant=_INSTANT.replace(microsecond=microsecond))

        instant = session.get_one(Value, number).instant
        assert instant is not None
        assert microsecond == instant.microsecond

    def test_it_is_ordered_to_the_microsecond(self, session: Session) -> None:
        instants = [_INSTANT + timedelta(microseconds=offset) for offset in (-1_000_000, -1, 0, 1, 876_544)]
        for instant in reversed(instants):
            store(session, instant=instant)

        assert instants == session.scalars(select(Value.instant).order_by(Value.instant)).all()
        assert (
            instants[3:]
            == session.scalars(select(Value.instant).where(Value.instant > _INSTANT).order_by(Value.instant)).all()
        )

    def test_a_naive_datetime_is_refused(self, session: Session) -> None:
        with pytest.raises(StatementError, match="naive"):
            store(session, instant=_INSTANT.replace(tzinfo=None))

    def test_null_stays_null(self, session: Session) -> None:
        assert session.get_one(Value, store(session)).instant is None


class TestExactText:
    def test_what_differs_is_different(self, session: Session) -> None:
        for text in _TEXTS:
            store(session, text=text)

        for text in _TEXTS:
            assert [text] == session.scalars(select(Value.text).where(Value.text == text)).all()

    def test_it_is_sorted_by_code_point(self, session: Session) -> None:
        for text in reversed(_TEXTS):
            store(session, text=text)

        assert sorted(_TEXTS) == session.scalars(select(Value.text).order_by(Value.text)).all()

    def test_null_stays_null(self, session: Session) -> None:
        assert session.get_one(Value, store(session)).text is None


class TestMoney:
    @pytest.mark.parametrize("amount", [Decimal("0.00"), Decimal("0.01"), Decimal("19.9"), Decimal(-5), _LARGEST])
    def test_it_is_exact(self, session: Session, amount: Decimal) -> None:
        number = store(session, amount=amount)

        found = session.get_one(Value, number).amount
        assert amount == found
        assert isinstance(found, Decimal)
        assert found.as_tuple().exponent == -2

    def test_it_is_ordered(self, session: Session) -> None:
        amounts = [Decimal(-1), Decimal("0.5"), Decimal(9), Decimal(10), _LARGEST - Decimal("0.01"), _LARGEST]
        for amount in reversed(amounts):
            store(session, amount=amount)

        assert amounts == session.scalars(select(Value.amount).order_by(Value.amount)).all()
        assert session.scalar(select(func.max(Value.amount))) == _LARGEST

    def test_null_stays_null(self, session: Session) -> None:
        assert session.get_one(Value, store(session)).amount is None
