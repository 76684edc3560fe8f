"""Rows for every table, as it is at some revision: migrations have to work on tables that are in use."""

import re
from collections.abc import Generator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice, product
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, Enum, MetaData, Table, func, insert, inspect, select
from sqlalchemy.exc import DBAPIError

# What a table needs that no rule below can know: values by table, then by column.
OWN: dict[str, dict[str, object]] = {
    # --- values of this service go below this line ---
}
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_MOST_TRIES = 500
_TIME = datetime(2026, 1, 1, 12, 0, 0)  # noqa: DTZ001 - columns have a zone or not


def fill(connection: Connection) -> dict[str, int]:
    """Insert two rows into every table, one as full as can be and one as empty, and return how many each has now.

    Raises:
        AssertionError: the database takes none that this makes up; the message says what to do.
    """
    metadata = MetaData()
    metadata.reflect(connection)
    tables = [table for table in metadata.sorted_tables if table.name != "alembic_version"]
    for table in tables:
        for is_full in (True, False):
            _insert_one(connection, table, is_full=is_full)
    return {table.name: _count(connection, table) for table in tables}


def _insert_one(connection: Connection, table: Table, *, is_full: bool) -> None:
    failure: DBAPIError | None = None
    for row in islice(_candidates(connection, table, is_full=is_full), _MOST_TRIES):
        try:
            with connection.begin_nested():
                connection.execute(insert(table).values(row))
        except DBAPIError as error:
            failure = error
        else:
            return
    message = f"no row could be made up for {table.name}: give it values in OWN of tests/rows.py ({failure})"
    raise AssertionError(message)


def _candidates(connection: Connection, table: Table, *, is_full: bool) -> Generator[dict[str, object]]:
    number = _count(connection, table) + 1
    own = OWN.get(table.name, {})
    checks = [str(check["sqltext"]) for check in inspect(connection).get_check_constraints(table.name)]
    choices: dict[str, list[object]] = {}
    for column in table.columns:
        if column.name in own:
            choices[column.name] = [own[column.name]]
        elif not (column.computed or column.identity or _is_serial(column)):
            choices[column.name] = _choices(connection, column, number, checks, is_full=is_full)
    for values in product(*choices.values()):
        yield {name: value for name, value in zip(choices, values, strict=True) if value is not _LEFT_OUT}


def _choices(
    connection: Connection, column: Column[Any], number: int, checks: list[str], *, is_full: bool
) -> list[object]:
    """Return what may stand in the column: what is likeliest first."""
    about = [check for check in checks if re.search(rf"\b{re.escape(column.name)}\b", check)]
    values = _referred(connection, column, number) if column.foreign_keys else [_made_up(column, number)]
    literals = [each.replace("''", "'") for check in about for each in _LITERAL.findall(check)]
    if about and isinstance(values[0], str | bytes):
        texts: list[object] = [each.encode() if isinstance(values[0], bytes) else each for each in literals]
        values = [*texts, *values]
    can_be_left_out = column.nullable or column.server_default is not None
    if not can_be_left_out:
        return values
    both = [*values, _LEFT_OUT] if is_full else [_LEFT_OUT, *values]
    # A CHECK may want what the others do not.
    return both if about else both[:1]


class _LeftOut:
    """What stands for a column that a row does not name."""


_LEFT_OUT = _LeftOut()


def _referred(connection: Connection, column: Column[Any], number: int) -> list[object]:
    target = next(iter(column.foreign_keys)).column
    values = connection.scalars(select(target).order_by(*target.table.primary_key.columns)).all()
    return [values[(number - 1) % len(values)]] if values else [_LEFT_OUT]


def _made_up(column: Column[Any], number: int) -> object:
    if isinstance(column.type, Enum) and column.type.enums:
        return column.type.enums[0]
    try:
        kind = column.type.python_type
    except NotImplementedError:
        kind = str
    if kind in {str, bytes}:
        length = getattr(column.type, "length", None)
        # Without a length it may be JSON, which has no zeros in front.
        text = f"{number:0{min(length, 32)}x}" if length else str(number)
        return text.encode() if kind is bytes else text
    values: dict[type, object] = {
        bool: True,
        int: number,
        float: float(number),
        Decimal: Decimal(number),
        UUID: UUID(int=number),
        datetime: _TIME + timedelta(seconds=number),
        date: _TIME.date(),
        time: _TIME.time(),
        timedelta: timedelta(seconds=number),
        dict: {},
        list: [],
    }
    return values.get(kind, str(number))


def _is_serial(column: Column[Any]) -> bool:
    return "nextval" in str(getattr(column.server_default, "arg", ""))


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0
