"""The order of what a generated migration does: a database refuses to drop what something else still refers to."""

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from itertools import takewhile
from typing import TypeVar

from alembic.operations.ops import CreateTableOp, DropTableOp, MigrateOperation, MigrationScript, ModifyTableOps
from alembic.runtime.migration import MigrationContext
from sqlalchemy import ForeignKey

TableOp = TypeVar("TableOp", CreateTableOp, DropTableOp)


def put_in_order(_context: MigrationContext, _revision: object, scripts: list[MigrationScript]) -> None:
    """Create tables first, and drop them last: each after, or before, those that it refers to."""
    for script in scripts:
        for way in (script.upgrade_ops, script.downgrade_ops):
            if way is not None:
                way.ops = ordered(way.ops)


def ordered(operations: Iterable[MigrateOperation]) -> list[MigrateOperation]:
    """Return `operations` in an order that the database takes.

    A table is dropped whole: its indexes go with it, and one that a foreign key needs could not go before. What is no
    table's, such as a type, stays before or after all tables.
    """
    operations = list(operations)
    creates = [each for each in operations if isinstance(each, CreateTableOp)]
    drops = [each for each in operations if isinstance(each, DropTableOp)]
    dropped = {(each.schema, each.table_name) for each in drops}
    changes = [
        each
        for each in operations
        if isinstance(each, ModifyTableOps) and (each.schema, each.table_name) not in dropped
    ]
    before = list(takewhile(_is_no_tables, operations))
    after = [each for each in operations[len(before) :] if _is_no_tables(each)]
    try:
        return [*before, *_parents_first(creates), *changes, *reversed(_parents_first(drops)), *after]
    except CycleError:
        # Their keys are created and dropped on their own: what Alembic has written may be right.
        return operations


def _is_no_tables(operation: MigrateOperation) -> bool:
    return not isinstance(operation, CreateTableOp | DropTableOp | ModifyTableOps)


def _parents_first(operations: list[TableOp]) -> list[TableOp]:
    by_key = {each.to_table().key: each for each in operations}
    parents = {
        key: {_referred(foreign_key) for foreign_key in each.to_table().foreign_keys} - {key}
        for key, each in by_key.items()
    }
    return [by_key[key] for key in TopologicalSorter(parents).static_order() if key in by_key]


def _referred(foreign_key: ForeignKey) -> str:
    """Return the key of the table that it refers to, with its schema if it has one."""
    return foreign_key.target_fullname.rpartition(".")[0]
