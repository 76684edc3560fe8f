"""GET /mounted/x | inside"""

from fastapi import APIRouter, FastAPI

router = APIRouter(prefix="/v1/planted")


sub = FastAPI(openapi_url=None)


@sub.get("/x")
def inside(): ...


router.mount("/mounted", sub)
