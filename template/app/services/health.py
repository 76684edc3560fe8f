"""Is this process ready to be sent requests?"""

from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import AppError
from app.core.state import is_draining
from app.db.database import Database
from app.db.migrate import current_revision, expected_revision
from app.schemas.health import Readiness, ReadinessChecks


def readiness(database: Database) -> Readiness:
    """Return whether the database answers, is at the revision that this code needs, and the process stays."""
    try:
        migrated = database.read(current_revision) == expected_revision()
        checks = ReadinessChecks(database="ok", migrations="ok" if migrated else "pending")
    except (AppError, SQLAlchemyError):
        migrated, checks = False, ReadinessChecks(database="failed", migrations="unknown")
    details = {"checks": checks} if database.settings.readiness_details else {}
    return Readiness(status="ready" if migrated and not is_draining() else "unavailable", **details)
