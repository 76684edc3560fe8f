"""GET /v1/planted/r | typing_error | orders:raed | orders:read, orders:write"""

from fastapi import APIRouter

from app.auth.policy import requires

router = APIRouter(prefix="/v1/planted")


@router.get("/r")
@requires("orders:raed")
async def typing_error(): ...
