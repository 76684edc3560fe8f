"""Liveness and readiness."""

from http import HTTPStatus

from app.api.deps import get_database, get_settings
from app.api.routing import Answer, Router
from app.auth.policy import public
from app.http.headers import revision_headers
from app.schemas.health import Health, Readiness
from app.services import health

router = Router("operations")


@router.get("/healthz")
@public
def healthz() -> Answer[Health]:
    """Return that the process is up."""
    return Health(status="ok"), revision_headers(get_settings().revision)


@router.get("/readyz", responses={503: {"model": Readiness}})
@public
def readyz() -> Answer[Readiness]:
    """Return whether the database answers and is at the migration that this version needs."""
    readiness = health.readiness(get_database())
    return readiness, HTTPStatus.OK if readiness.status == "ready" else HTTPStatus.SERVICE_UNAVAILABLE
