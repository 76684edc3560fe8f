"""How the database would run a statement."""

import re
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Engine, text

_KEY_PARTS = re.compile(r'"used_key_parts": \[(.*?)\]', re.DOTALL)
_NAME = re.compile(r'"(\w+)"')


class Plan(NamedTuple):
    """The indexes that are used, whether rows have to be sorted or a whole table is read, and what bounds the reading.

    `bounds` are the columns whose values say where in the index it starts and ends.
    """

    indexes: set[str]
    sorts: bool
    scans: bool
    bounds: set[str]


def explain(connection: Connection, statement: str, parameters: Any) -> Plan:
    # Each is asked for by name: MySQL 9 gives other forms by default.
    steps = connection.exec_driver_sql(f"EXPLAIN FORMAT=TRADITIONAL {statement}", parameters).mappings().all()
    if has_forms_of_json(connection.dialect):
        connection.execute(text("SET explain_json_format_version = 1"))
    details = connection.exec_driver_sql(f"EXPLAIN FORMAT=JSON {statement}", parameters).scalar_one()
    return Plan(
        indexes={str(step["key"]) for step in steps if step["key"]},
        sorts=any("filesort" in (step["Extra"] or "") for step in steps),
        scans=any(step["type"] == "ALL" for step in steps),
        bounds=set(_NAME.findall("".join(_KEY_PARTS.findall(details)))),
    )


def has_forms_of_json(dialect: Dialect) -> bool:
    version: tuple[int, ...] = getattr(dialect, "server_version_info", ())
    return not getattr(dialect, "is_mariadb", False) and version >= (8, 3)


def refresh_statistics(engine: Engine, table: str) -> None:
    """Let the planner know what is in the table, and do away with deleted rows, which it would count where it looks."""
    with engine.connect() as connection:
        connection.execute(text(f"OPTIMIZE TABLE {table}"))
        connection.commit()
