"""GET /v1/planted/n | nobody | OptionalCaller"""

from fastapi import APIRouter

from app.api.deps import Caller
from app.auth.policy import public

router = APIRouter(prefix="/v1/planted")


@router.get("/n")
@public
async def nobody(caller: Caller): ...
