"""How the database would run a statement."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, text


class Plan(NamedTuple):
    """The indexes that are used, and whether rows have to be sorted or a whole table is read."""

    indexes: set[str]
    sorts: bool
    scans: bool


def explain(connection: Connection, statement: str, parameters: Any) -> Plan:
    steps = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).mappings().all()
    return Plan(
        indexes={str(step["key"]) for step in steps if step["key"]},
        sorts=any("filesort" in (step["Extra"] or "") for step in steps),
        scans=any(step["type"] == "ALL" for step in steps),
    )


def refresh_statistics(engine: Engine, table: str) -> None:
    """Let the planner know what is in the table."""
    with engine.connect() as connection:
        connection.execute(text(f"ANALYZE TABLE {table}"))
        connection.commit()
