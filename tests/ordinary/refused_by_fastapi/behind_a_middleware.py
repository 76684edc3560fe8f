"""GET /v1/planted/inside | inside"""

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import GZipMiddleware

application = FastAPI(openapi_url=None)


@application.get("/inside")
def inside(): ...


router = APIRouter()
router.mount("/v1/planted", GZipMiddleware(application))
