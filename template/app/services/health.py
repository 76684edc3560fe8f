"""Is this process ready to be sent requests?"""

from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.core import features
from app.core.errors import AppError
from app.core.state import is_draining
from app.db.database import Database
from app.db.migrate import is_migrated
from app.schemas.health import Readiness

_log = structlog.get_logger("app.health")


def readiness(database: Database) -> Readiness:
    """Return whether requests should be sent here.

    The database answers and is at the revision that this code needs or past it, every feature is ready, and the process
    stays.
    """
    asked = {folder: _asked(folder, is_ready, database) for folder, is_ready in features.parts("readiness").items()}
    results = {**_database(database), **asked}
    is_ready = all(result == "ok" for result in results.values()) and not is_draining()
    details = {"checks": results} if database.settings.readiness_details else {}
    return Readiness.model_validate({"status": "ready" if is_ready else "unavailable", **details})


def _database(database: Database) -> dict[str, str]:
    try:
        is_current = database.read(is_migrated)
        is_writable = database.is_writable()
    except (AppError, SQLAlchemyError):
        return {"database": "failed", "migrations": "unknown"}
    return {"database": "ok" if is_writable else "read_only", "migrations": "ok" if is_current else "pending"}


def _asked(feature: str, is_ready: Callable[[Database], bool], database: Database) -> str:
    try:
        return "ok" if is_ready(database) is True else "failed"
    except Exception:  # noqa: BLE001 - a feature that fails in any way is not ready
        _log.exception("readiness check failed", feature=feature)
        return "failed"
