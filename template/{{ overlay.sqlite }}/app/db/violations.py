"""Which constraint a change broke: SQLite names checks, columns where they are to be unique, and no foreign key.

Not found out are: a constraint that textual SQL breaks (no table is known), one that is checked at the commit
(`DEFERRABLE`), and a foreign key that a cascade breaks, or an INSERT of several rows in one list of values.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Delete,
    ForeignKeyConstraint,
    Insert,
    Table,
    UniqueConstraint,
    Update,
    and_,
    exists,
    select,
    true,
)
from sqlalchemy.engine import ExceptionContext

NAME: Final = "violated"

_UNIQUE: Final = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}
# RESTRICT is a trigger.
_FOREIGN_KEY: Final = {sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, sqlite3.SQLITE_CONSTRAINT_TRIGGER}
_KEEPING: Final = {None, "NO ACTION", "RESTRICT"}
_INDEX: Final = re.compile(r"UNIQUE constraint failed: index '(.+)'")

Change = Insert | Update | Delete


def note(failure: ExceptionContext) -> None:
    """Note at the driver's error the name of the constraint that a statement broke, while its tables can be asked."""
    error = failure.original_exception
    if not isinstance(error, sqlite3.IntegrityError):
        return
    code, message = error.sqlite_errorcode, str(error)
    if code == sqlite3.SQLITE_CONSTRAINT_CHECK:
        setattr(error, NAME, message.partition(": ")[2])
        return
    change = getattr(getattr(failure.execution_context, "compiled", None), "statement", None)
    if not isinstance(change, Change) or not isinstance(change.table, Table):
        return
    if code in _UNIQUE:
        setattr(error, NAME, _unique(change.table, message))
    elif code in _FOREIGN_KEY and failure.connection is not None:
        parameters = getattr(failure.execution_context, "compiled_parameters", ())
        find = _kept_by if isinstance(change, Delete) else _missing
        found = (find(failure.connection, change.table, change, each) for each in parameters)
        setattr(error, NAME, next((name for name in found if name), None))


def _unique(table: Table, message: str) -> str | None:
    """Return the name of what is unique over the columns that `message` lists."""
    if index := _INDEX.fullmatch(message):
        return index[1]
    columns = [column.rpartition(".")[2] for column in message.partition(": ")[2].split(", ")]
    unique = (each for each in table.constraints if isinstance(each, UniqueConstraint))
    for each in chain([table.primary_key], unique, (index for index in table.indexes if index.unique)):
        if [column.name for column in each.columns] == columns:
            return str(each.name)
    return None


def _missing(connection: Connection, table: Table, _: Change, parameters: Mapping[str, Any]) -> str | None:
    """Return the name of the foreign key that refers to nothing with `parameters`."""
    for key in sorted(table.foreign_key_constraints, key=attrgetter("name")):
        pairs = [(element.column, parameters.get(element.parent.key)) for element in key.elements]
        referred = exists().where(*(column == value for column, value in pairs))
        if all(value is not None for _, value in pairs) and not connection.scalar(select(referred)):
            return str(key.name)
    return None


def _kept_by(connection: Connection, table: Table, change: Change, parameters: Mapping[str, Any]) -> str | None:
    """Return the name of the foreign key that still refers to a row which `change`, a DELETE, takes away."""
    criterion = change.whereclause if isinstance(change, Delete) else None
    deleted = true() if criterion is None else criterion
    for key in _referring(table):
        same = and_(*(element.parent == element.column for element in key.elements))
        if connection.scalar(select(exists().where(same, deleted)), dict(parameters)):
            return str(key.name)
    return None


def _referring(table: Table) -> Iterator[ForeignKeyConstraint]:
    """Yield the foreign keys that keep rows of `table` from being deleted."""
    for other in table.metadata.tables.values():
        for key in other.foreign_key_constraints:
            if key.referred_table.key == table.key and (key.ondelete or None) in _KEEPING:
                yield key
