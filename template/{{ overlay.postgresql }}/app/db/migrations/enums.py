"""The types that enums are in PostgreSQL. Alembic leaves them to the tables, and does not compare their values."""

from collections.abc import Iterable
from typing import Any, Literal, TypeGuard, cast

from alembic.autogenerate import comparators, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import DropColumnOp, DropTableOp, MigrateOperation, ModifyTableOps, UpgradeOps
from alembic.util import CommandError, DispatchPriority
from sqlalchemy import ARRAY, Column, Enum
from sqlalchemy.dialects.postgresql import dialect
from sqlalchemy.dialects.postgresql.base import PGInspector

Types = dict[tuple[str | None, str], list[str]]

_QUOTE = dialect().identifier_preparer.quote


class ChangeOfType(MigrateOperation):
    """Statements that create, extend or drop a type, and those that undo it."""

    def __init__(self, upgrade: list[str], downgrade: list[str]) -> None:
        self.upgrade = upgrade
        self.downgrade = downgrade

    def reverse(self) -> "ChangeOfType":
        return ChangeOfType(self.downgrade, self.upgrade)

    def to_diff_tuple(self) -> tuple[str, ...]:
        return ("change_type", *self.upgrade)


@renderers.dispatch_for(ChangeOfType)
def render(_context: AutogenContext, operation: ChangeOfType) -> list[str]:
    return [f"op.execute({statement!r})" for statement in operation.upgrade]


def render_item(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    """Write the type of a column so that creating its table does not create the type, too."""
    if kind != "type" or not is_type(item):
        return False
    context.imports.add("from sqlalchemy.dialects import postgresql")
    schema = f", schema={item.schema!r}" if item.schema else ""
    return f"postgresql.ENUM({', '.join(map(repr, item.enums))}, name={item.name!r}{schema}, create_type=False)"


@comparators.dispatch_for("schema", priority=DispatchPriority.LAST)
def compare(context: AutogenContext, upgrade: UpgradeOps, schemas: set[str | None]) -> None:
    """Create types before the tables that have them, drop them after, and add the values that they lack.

    Raises:
        CommandError: a value is in the database and not in the models.
    """
    inspector = cast("PGInspector", context.inspector)
    declared = types_of(column for table in context.sorted_tables for column in table.columns)
    there = {(schema, each["name"]): each["labels"] for schema in schemas for each in inspector.get_enums(schema)}
    for key, values in declared.items():
        if key[0] not in schemas:
            continue
        if key not in there:
            upgrade.ops.insert(0, ChangeOfType([created(key, values)], [dropped(key)]))
        elif statements := extended(key, values, there[key]):
            upgrade.ops.append(ChangeOfType(statements, []))
    for key, values in types_of(dropped_columns(upgrade)).items():
        if key in there and key not in declared:
            upgrade.ops.append(ChangeOfType([dropped(key)], [created(key, values)]))


def is_type(item: object) -> TypeGuard[Enum]:
    """Return whether a column of this kind has a type of its own in the database."""
    return isinstance(item, Enum) and item.native_enum and bool(item.name)


def types_of(columns: Iterable[Column[Any]]) -> Types:
    kinds = [each.type.item_type if isinstance(each.type, ARRAY) else each.type for each in columns]
    return {(each.schema, str(each.name)): list(each.enums) for each in kinds if is_type(each)}


def dropped_columns(upgrade: UpgradeOps) -> Iterable[Column[Any]]:
    for each in upgrade.ops:
        if isinstance(each, DropTableOp):
            yield from each.to_table().columns
        elif isinstance(each, ModifyTableOps):
            yield from (change.to_column() for change in each.ops if isinstance(change, DropColumnOp))


def created(key: tuple[str | None, str], values: list[str]) -> str:
    return f"CREATE TYPE {named(key)} AS ENUM ({', '.join(map(literal, values))})"


def dropped(key: tuple[str | None, str]) -> str:
    return f"DROP TYPE {named(key)}"


def extended(key: tuple[str | None, str], values: list[str], there: list[str]) -> list[str]:
    """Return the statements that add the values that are missing, each in its place; the order of the others stays."""
    if gone := set(there) - set(values):
        text = (
            f"The database's type {named(key)} has {', '.join(sorted(gone))}, and the model has not. PostgreSQL takes "
            "no value out of a type: keep it in the model, or fill another column and drop this one "
            "(docs/migrations.md)."
        )
        raise CommandError(text)
    places = [f" AFTER {literal(before)}" for before in values[:-1]]
    places.insert(0, f" BEFORE {literal(there[0])}" if there else "")
    return [
        f"ALTER TYPE {named(key)} ADD VALUE IF NOT EXISTS {literal(value)}{place}"
        for value, place in zip(values, places, strict=True)
        if value not in there
    ]


def named(key: tuple[str | None, str]) -> str:
    return ".".join(_QUOTE(part) for part in key if part)


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
