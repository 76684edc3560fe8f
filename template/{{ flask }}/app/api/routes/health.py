"""Is the process up, and should it be sent requests?"""

from http import HTTPStatus

from app.api.deps import get_database
from app.api.routing import Answer, Router
from app.auth.policy import public
from app.schemas.health import Health, Readiness
from app.services import health

router = Router("operations")


@router.get("/healthz")
@public
def healthz() -> Health:
    """Return that the process is up."""
    return Health(status="ok")


@router.get("/readyz", responses={503: {"model": Readiness}})
@public
def readyz() -> Answer[Readiness]:
    """Return whether the database answers and is at the migration that this version needs."""
    readiness = health.readiness(get_database())
    return readiness, HTTPStatus.OK if readiness.status == "ready" else HTTPStatus.SERVICE_UNAVAILABLE
