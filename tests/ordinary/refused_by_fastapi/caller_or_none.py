"""POST /v1/planted/maybe | maybe | `caller` | OptionalCaller"""

from fastapi import APIRouter

from app.api.deps import Caller
from app.auth.policy import requires

router = APIRouter(prefix="/v1/planted")


@router.post("/maybe")
@requires()
async def maybe(caller: Caller | None = None): ...
