"""Generated migrations create and drop tables in the order of their foreign keys, however Alembic has found them."""

from itertools import permutations

import pytest
from alembic.operations.ops import (
    CreateIndexOp,
    CreateTableOp,
    DropColumnOp,
    DropIndexOp,
    DropTableOp,
    ExecuteSQLOp,
    MigrateOperation,
    ModifyTableOps,
)
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, Table

from app.db.migrations.directives import ordered

_METADATA = MetaData()
_AUTHORS = Table("authors", _METADATA, Column("id", Integer, primary_key=True))
_BOOKS = Table(
    "books",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("author_id", ForeignKey("authors.id")),
    Column("previous_id", ForeignKey("books.id")),
)
_PAGES = Table("pages", _METADATA, Column("id", Integer, primary_key=True), Column("book_id", ForeignKey("books.id")))
_INDEX = Index("ix_pages_book_id", _PAGES.c.book_id)
_TABLES = (_AUTHORS, _BOOKS, _PAGES)


def tables(operations: list[MigrateOperation]) -> list[str]:
    return [each.table_name for each in operations if isinstance(each, CreateTableOp | DropTableOp)]


@pytest.mark.parametrize("found", list(permutations(_TABLES)))
class TestTables:
    def test_are_created_after_those_that_they_refer_to(self, found: tuple[Table, ...]) -> None:
        created = ordered(CreateTableOp.from_table(table) for table in found)

        assert tables(created) == ["authors", "books", "pages"]

    def test_are_dropped_before_those_that_they_refer_to(self, found: tuple[Table, ...]) -> None:
        dropped = ordered(DropTableOp.from_table(table) for table in found)

        assert tables(dropped) == ["pages", "books", "authors"]


def test_a_table_is_dropped_after_what_refers_to_it_has_changed() -> None:
    drop = DropTableOp.from_table(_BOOKS)
    change = ModifyTableOps("reviews", [DropColumnOp("reviews", "book_id")])

    assert ordered([drop, change]) == [change, drop]


def test_a_table_is_dropped_with_its_indexes() -> None:
    drop = DropTableOp.from_table(_PAGES)

    assert ordered([ModifyTableOps("pages", [DropIndexOp.from_index(_INDEX)]), drop]) == [drop]


def test_an_index_is_created_after_its_table() -> None:
    create, index = CreateTableOp.from_table(_PAGES), ModifyTableOps("pages", [CreateIndexOp.from_index(_INDEX)])

    assert ordered([index, create]) == [create, index]


def test_tables_that_refer_to_each_other_stay_as_they_were_found() -> None:
    metadata = MetaData()
    one = Table("one", metadata, Column("id", Integer, primary_key=True), Column("two_id", ForeignKey("two.id")))
    two = Table("two", metadata, Column("id", Integer, primary_key=True), Column("one_id", ForeignKey("one.id")))

    assert tables(ordered([CreateTableOp.from_table(two), CreateTableOp.from_table(one)])) == ["two", "one"]
    assert tables(ordered([DropTableOp.from_table(two), DropTableOp.from_table(one)])) == ["two", "one"]


def test_tables_of_one_name_in_two_schemas_are_two_tables() -> None:
    metadata = MetaData()
    here = Table("books", metadata, Column("id", Integer, primary_key=True))
    there = Table(
        "books",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("of", ForeignKey("books.id")),
        schema="archive",
    )
    drops: list[DropTableOp] = [DropTableOp.from_table(here), DropTableOp.from_table(there)]

    assert [each.schema for each in drops_of(ordered(drops))] == ["archive", None]


def drops_of(operations: list[MigrateOperation]) -> list[DropTableOp]:
    return [each for each in operations if isinstance(each, DropTableOp)]


def test_a_type_is_created_before_the_tables_that_have_it_and_dropped_after_them() -> None:
    create, drop = CreateTableOp.from_table(_BOOKS), DropTableOp.from_table(_PAGES)
    create_type, drop_type = ExecuteSQLOp("CREATE TYPE …"), ExecuteSQLOp("DROP TYPE …")

    assert ordered([create_type, drop, create, drop_type]) == [create_type, create, drop, drop_type]
