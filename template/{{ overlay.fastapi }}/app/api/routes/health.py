"""Liveness and readiness."""

from fastapi import APIRouter, Request, Response, status

from app.api.deps import Db
from app.auth.policy import public
from app.http.headers import revision_headers
from app.schemas.health import Health, Readiness
from app.services import health

router = APIRouter(tags=["operations"])


@router.get("/healthz")
@public
async def healthz(request: Request, response: Response) -> Health:
    """Return that the process is up."""
    response.headers.update(revision_headers(request.app.state.settings.revision))
    return Health(status="ok")


@router.get("/readyz", responses={503: {"model": Readiness}})
@public
async def readyz(db: Db, response: Response) -> Readiness:
    """Return whether the database answers and is at the migration that this version needs."""
    readiness = await db.run(health.readiness)
    if readiness.status != "ready":
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return readiness
