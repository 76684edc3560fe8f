"""What the operations endpoints answer."""

from typing import Literal

from app.schemas.base import Schema


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
    checks: ReadinessChecks
