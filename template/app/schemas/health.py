"""What the operations endpoints answer."""

from typing import Literal

from pydantic import Field

from app.schemas.base import Schema
from app.schemas.fields import unset


class Health(Schema):
    """The process is up."""

    status: Literal["ok"]


class ReadinessChecks(Schema):
    """What readiness depends on."""

    database: Literal["ok", "failed"]
    migrations: Literal["ok", "pending", "unknown"]


class Readiness(Schema):
    """Whether requests should be sent here, and why not."""

    status: Literal["ready", "unavailable"]
    checks: ReadinessChecks = Field(
        default_factory=unset,
        exclude_if=lambda checks: checks is None,
        description="Left out where READINESS_DETAILS is off.",
    )
