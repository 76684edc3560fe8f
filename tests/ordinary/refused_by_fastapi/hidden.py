"""GET /v1/planted/a | hidden | @public"""

from fastapi import APIRouter

router = APIRouter(prefix="/v1/planted")


@router.get("/a", include_in_schema=False)
async def hidden(): ...
