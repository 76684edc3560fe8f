"""A list as a query declares it, on a table that every service has while these tests run."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from operator import gt
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import Field, ValidationError
from sqlalchemy import insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from app.core.errors import InvalidCursor
from app.core.ids import new_id
from app.db.database import Database
from app.db.lists import paginate
from app.db.models.base import Identified
from app.db.types import ExactText, UTCDateTime
from app.schemas.base import Schema
from app.schemas.lists import Filter, ListQuery, Sorts, any_of
from app.schemas.page import Page

_START = datetime(2026, 1, 31, tzinfo=UTC)


class Base(DeclarativeBase):
    """Not the service's, which may have no tables yet."""


class Thing(Identified, Base):
    __tablename__ = "things_that_are_listed"

    name: Mapped[str] = mapped_column(ExactText(64))
    size: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ThingRead(Schema):
    id: UUID
    name: str


class ThingPage(Page[ThingRead]):
    """Some things."""


class PlainQuery(ListQuery[ThingPage]):
    page = ThingPage


class ThingQuery(ListQuery[ThingPage]):
    page = ThingPage
    sorts = Sorts("name", bulk="size", default="-name")

    sort: str = sorts.field()
    label: Annotated[str | None, Filter("name")] = None
    sizes: Annotated[list[int], Filter("size", any_of)] = Field(default=[])
    larger_than: Annotated[int | None, Filter("size", gt)] = None


@pytest.fixture(scope="module", autouse=True)
def _table(shared_database: Database) -> Generator[None]:
    Base.metadata.create_all(shared_database.writer)
    yield
    Base.metadata.drop_all(shared_database.writer)


@pytest.fixture(autouse=True)
def _things(session: Session) -> None:
    for number, name in enumerate("cab"):
        then = _START + timedelta(hours=number)
        session.execute(insert(Thing).values(id=new_id(), name=name, size=number % 2, created_at=then))


def ask(session: Session, query: ListQuery[ThingPage], *scope: str) -> ThingPage:
    return paginate(session, select(Thing.id, Thing.name, Thing.size), Thing, query, scope)


def names(session: Session, **query: Any) -> str:
    return "".join(thing.name for thing in ask(session, ThingQuery.model_validate(query)).data)


class TestSorts:
    @pytest.mark.parametrize(
        ("sort", "found"),
        [("-name", "cba"), ("name", "abc"), ("bulk,name", "bca"), ("-bulk,-name", "acb"), ("name,-name", "abc")],
    )
    def test_rows_come_in_the_order_that_is_asked_for(self, session: Session, sort: str, found: str) -> None:
        assert names(session, sort=sort) == found

    def test_there_is_one_without_asking(self, session: Session) -> None:
        assert names(session) == "cba"
        assert "".join(thing.name for thing in ask(session, PlainQuery()).data) == "bac"

    @pytest.mark.parametrize("sort", ["size", "id", "", "name,bulk,name"])
    def test_what_is_not_declared_is_refused(self, sort: str) -> None:
        with pytest.raises(ValidationError):
            ThingQuery(sort=sort)

    def test_the_document_names_them(self) -> None:
        schema = ThingQuery.model_json_schema()["properties"]["sort"]

        assert schema["description"] == "Names from `name`, `bulk`, by comma; `-` sorts downwards."
        assert (schema["default"], schema["pattern"]) == ("-name", "^-?(name|bulk)(,-?(name|bulk)){0,1}$")


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"label": "a"}, "a"),
            ({"sizes": [1]}, "a"),
            ({"sizes": [0, 1]}, "cba"),
            ({"sizes": []}, "cba"),
            ({"larger_than": 0}, "a"),
            ({"larger_than": 0, "label": "b"}, ""),
        ],
        ids=str,
    )
    def test_each_keeps_the_rows_that_fit(self, session: Session, query: dict[str, Any], found: str) -> None:
        assert names(session, **query) == found


class TestPages:
    def test_they_go_on_where_the_last_one_ended(self, session: Session) -> None:
        first = ask(session, ThingQuery(limit=2), "ada")
        second = ask(session, ThingQuery(limit=2, cursor=first.next_cursor), "ada")

        assert [(len(page.data), page.has_more) for page in (first, second)] == [(2, True), (1, False)]
        assert second.next_cursor is None

    @pytest.mark.parametrize("other", [{"sort": "name"}, {"sizes": [0, 1]}], ids=str)
    def test_a_cursor_is_of_no_use_in_another_list(self, session: Session, other: dict[str, Any]) -> None:
        cursor = ask(session, ThingQuery(limit=1), "ada").next_cursor

        with pytest.raises(InvalidCursor):
            ask(session, ThingQuery.model_validate({"cursor": cursor, **other}), "ada")
        with pytest.raises(InvalidCursor):
            ask(session, ThingQuery(cursor=cursor), "eve")
