"""GET /mounted/openapi.json"""

from fastapi import APIRouter, FastAPI

router = APIRouter(prefix="/v1/planted")


router.mount("/mounted", FastAPI())
