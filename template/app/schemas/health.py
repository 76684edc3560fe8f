"""What the operations endpoints answer."""

from typing import Literal

from pydantic import Field

from app.schemas.base import Schema
from app.schemas.fields import unset


class Health(Schema):
    """The process is up."""

    status: Literal["ok"]


class ReadinessChecks(Schema, extra="allow"):
    """What readiness depends on: the database, and features by their names."""

    # Pydantic's way to say of what type other fields are.
    __pydantic_extra__: dict[str, Literal["ok", "failed"]]  # ty: ignore[incompatible-mutable-override]

    database: Literal["ok", "read_only", "failed"]
    migrations: Literal["ok", "pending", "unknown"]


class Readiness(Schema):
    """Whether requests should be sent here, and why not."""

    status: Literal["ready", "unavailable"]
    checks: ReadinessChecks = Field(
        default_factory=unset,
        exclude_if=lambda checks: checks is None,
        description="Left out where READINESS_DETAILS is off.",
    )
