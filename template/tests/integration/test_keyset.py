from collections.abc import Generator, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    DateTime,
    Float,
    LargeBinary,
    Numeric,
    Select,
    String,
    Text,
    Time,
    Uuid,
    column,
    delete,
    insert,
    select,
)
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeEngine

from app.core.errors import InvalidCursor
from app.core.pagination import encode_cursor
from app.db.database import Database
from app.db.keyset import Keyset, SortKey
from app.db.types import ExactText, Money, UTCDateTime

_NUMBERS = count(1)
_START = datetime(2026, 1, 31, 9, 30, 0, 123456, UTC)


class Size(Enum):
    """Declared neither by name nor by value."""

    SMALL = "s"
    LARGE = "l"
    HUGE = "a"


class Base(DeclarativeBase):
    """Not the service's: these tests need a table in every service."""


class Row(Base):
    __tablename__ = "sorted_by_the_tests"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[date | None]
    number: Mapped[int | None]
    flag: Mapped[bool | None]
    size: Mapped[Size | None]
    colour: Mapped[str | None] = mapped_column(EnumType("red", "blue", "amber", name="colours_of_the_tests"))
    amount: Mapped[Decimal | None] = mapped_column(Money)
    key: Mapped[UUID | None] = mapped_column(Uuid)
    instant: Mapped[datetime | None] = mapped_column(UTCDateTime)
    text: Mapped[str | None] = mapped_column(ExactText(500))
    required: Mapped[int]


# In their order, and few of each, so that there are ties.
_VALUES: dict[str, tuple[type, list[Any]]] = {
    "day": (date, [date(1, 1, 1), date(2026, 1, 31), date(9999, 12, 31)]),
    "number": (int, [-(2**31), 0, 2**31 - 1]),
    "flag": (bool, [False, True]),
    "size": (Size, list(Size)),
    "colour": (str, ["red", "blue", "amber"]),
    "amount": (Decimal, [Decimal("-1.50"), Decimal("0.00"), Decimal("19.90")]),
    "key": (UUID, [UUID(int=0), UUID("019c0f5e-7a3c-7b1e-8f42-3d5a6b7c8d9e"), UUID(int=2**128 - 1)]),
    "instant": (datetime, [_START, _START + timedelta(microseconds=1), _START + timedelta(days=1)]),
    "text": (str, ["", "=", "null", "🍵" * 500]),
}
_REQUIRED = {"required": (int, [1, 2])}
_SORTS = [*_VALUES, *(f"-{name}" for name in _VALUES), "flag,-size", "-text,day", "-required,number", "required,-key"]


@pytest.fixture(scope="module", autouse=True)
def _table(shared_database: Database) -> Generator[None]:
    Base.metadata.create_all(shared_database.writer)
    yield
    Base.metadata.drop_all(shared_database.writer)


def keyset(sort: str) -> Keyset:
    kinds = {**_VALUES, **_REQUIRED}
    terms = [(term.removeprefix("-"), term.startswith("-")) for term in sort.split(",")]
    keys = [SortKey(getattr(Row, name), kinds[name][0], descending=descending) for name, descending in terms]
    return Keyset([*keys, SortKey(Row.id, int, keys[-1].descending)])


def walk(session: Session, order: Keyset, limit: int) -> Iterator[list[Any]]:
    cursor, statement = None, select(*(getattr(Row, each.key) for each in Row.__table__.columns))
    # A list that turns in circles must fail, not hang.
    for _ in range(100):
        rows = session.execute(order.page(statement, limit, cursor, [])).all()
        yield [dict(zip(row._fields, row, strict=True)) for row in rows[:limit]]
        if len(rows) <= limit:
            return
        cursor = order.cursor(rows[limit - 1], [])
    pytest.fail("the list has no end")


def rank(row: dict[str, Any], name: str) -> int:
    """Return the place of what `row` has, of which null is the first."""
    values = {**_VALUES, **_REQUIRED}.get(name, (int, range(10_000_000)))[1]
    return -1 if row[name] is None else values.index(row[name])


def in_order(shown: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    expected = shown
    # Python's sort is stable, so the last key comes first.
    terms = sort.split(",")
    for term in reversed([*terms, "-id" if terms[-1].startswith("-") else "id"]):
        name = term.removeprefix("-")
        expected = sorted(expected, key=lambda row, name=name: rank(row, name), reverse=term.startswith("-"))
    return expected


rows = st.fixed_dictionaries(
    {
        **{name: st.sampled_from([None, *values]) for name, (_, values) in _VALUES.items()},
        "required": st.sampled_from([1, 2]),
    }
)
changes = st.lists(st.tuples(st.integers(0, 9), rows | st.none()), max_size=4)


class TestChangesBetweenPages:
    @pytest.mark.parametrize("sort", _SORTS)
    @hypothesis_settings(
        max_examples=6, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(before=st.lists(rows, max_size=7), between=st.lists(changes, max_size=4), limit=st.integers(1, 3))
    def test_pages_show_each_row_once_while_rows_change(
        self, session: Session, sort: str, before: list[Any], between: list[Any], limit: int
    ) -> None:
        with session.begin_nested() as example:
            kept = [store(session, row) for row in before]
            shown: list[Any] = []
            for number, page in enumerate(walk(session, keyset(sort), limit)):
                shown += page
                for index, row in between[number] if number < len(between) else ():
                    if row is not None:
                        store(session, row)
                    elif kept:
                        session.execute(delete(Row).where(Row.id == kept.pop(index % len(kept))))
            example.rollback()

        ids = [row["id"] for row in shown]
        assert len(ids) == len(set(ids))
        assert set(kept) <= set(ids)
        assert in_order(shown, sort) == shown


def store(session: Session, row: dict[str, Any]) -> int:
    # Some databases give the number of a deleted row again.
    number = next(_NUMBERS)
    session.execute(insert(Row).values(id=number, **row))
    return number


class TestOrder:
    @pytest.mark.parametrize("name", _VALUES)
    def test_null_is_less_than_every_value(self, session: Session, name: str) -> None:
        values = [None, *_VALUES[name][1]]
        for value in reversed(values):
            store(session, {name: value, "required": 1})

        assert values == [row[name] for page in walk(session, keyset(name), 2) for row in page]
        assert values[::-1] == [row[name] for page in walk(session, keyset(f"-{name}"), 2) for row in page]

    def test_a_column_that_cannot_be_null_costs_nothing_more(self) -> None:
        statement = str(ask(Keyset([SortKey(Row.required, int, descending=True)]), "2"))

        assert "NULL" not in statement
        assert "CASE" not in statement


def ask(order: Keyset, *texts: str) -> Select[Any]:
    return order.page(select(Row.id), 1, encode_cursor(texts, []), [])


class TestForgedCursor:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            *[("day", "=2026-02-30"), ("day", "=20260131"), ("day", "2026-01-31"), ("day", "=null"), ("day", "=")],
            *[("number", "=1.0"), ("number", "=+1"), ("number", f"={2**63}"), ("number", "=" + "9" * 1900)],
            *[("flag", "=true"), ("flag", "=1"), ("size", "=s"), ("size", "=TINY"), ("colour", "=green")],
            ("required", "null"),
        ],
    )
    def test_values_that_no_row_has_are_refused(self, name: str, text: str) -> None:
        with pytest.raises(InvalidCursor):
            ask(keyset(name), text, "1")

    @pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
    def test_a_number_that_the_column_could_not_hold_finds_nothing_or_all(self, session: Session, number: int) -> None:
        store(session, {"number": 1, "required": 1})

        found = session.execute(ask(keyset("number"), f"={number}", "1")).all()

        assert len(found) == (1 if number < 0 else 0)


class TestRefusals:
    """What cannot be supported is refused when the key is made, and not at the second page."""

    @pytest.mark.parametrize(
        ("stored", "kind", "why"),
        [
            (Float(), float, "none for float"),
            (Time(), timedelta, "none for timedelta"),
            (JSON(), dict, "none for dict"),
            (LargeBinary(), bytes, "none for bytes"),
            (Numeric(10, 2), Decimal, "Money"),
            (DateTime(), datetime, "UTCDateTime"),
            (String(64), int, "its values are str, and not int"),
            (String(64), Size, "its values are str, and not Size"),
            (EnumType(Size), str, "its values are Size, and not str"),
            (Text(), str, "does not fit into a cursor"),
            (ExactText(501), str, "does not fit into a cursor"),
        ],
        ids=str,
    )
    def test_a_sentence_says_why(self, stored: TypeEngine[Any], kind: type, why: str) -> None:
        with pytest.raises(TypeError, match=f"^The list cannot be sorted by thing: .*{why}"):
            SortKey(column("thing", stored), kind, descending=False)
