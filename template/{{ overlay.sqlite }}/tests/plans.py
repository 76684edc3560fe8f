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
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    steps = [str(row.detail) for row in rows]
    return Plan(
        indexes=set(re.findall(r" INDEX (\w+)", "\n".join(steps))),
        sorts=any("TEMP B-TREE" in step for step in steps),
        scans=any(step.startswith("SCAN") and " INDEX " not in step for step in steps),
        bounds=set(re.findall(r"(\w+)[<>=]", "\n".join(steps))),
    )


def refresh_statistics(engine: Engine, _table: str) -> None:
    """Let the planner know what is in the table."""
    with engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()
