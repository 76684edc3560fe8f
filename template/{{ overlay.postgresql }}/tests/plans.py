"""How the database would run a statement."""

import re
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, text


class Plan(NamedTuple):
    """The indexes that are used, whether rows have to be sorted or a whole table is read, and what bounds the reading.

    `bounds` are the columns whose values say where in the index it starts and ends.
    """

    indexes: set[str]
    sorts: bool
    scans: bool
    bounds: set[str]


def explain(connection: Connection, statement: str, parameters: Any) -> Plan:
    # Of a small table all is read and sorted, whatever the indexes: ask how it would be with a large one.
    for way in ("seqscan", "bitmapscan", "sort"):
        connection.execute(text(f"SET LOCAL enable_{way} = off"))
    rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
    plan = "\n".join(row[0] for row in rows)
    return Plan(
        indexes=set(re.findall(r"Index (?:Only )?Scan (?:Backward )?using (\w+)", plan)),
        sorts="Sort" in plan,
        scans="Seq Scan" in plan,
        bounds=set(re.findall(r"\((\w+)\)?[:\w]* [<>=]", "".join(re.findall("Index Cond: .*", plan)))),
    )


def refresh_statistics(engine: Engine, table: str) -> None:
    """Let the planner know what is in the table."""
    with engine.connect() as connection:
        connection.execute(text(f"ANALYZE {table}"))
        connection.commit()
