"""POST /v1/planted/principal | sent | `caller` | OptionalCaller"""

from fastapi import APIRouter

from app.auth.policy import public
from app.auth.principal import Principal

router = APIRouter(prefix="/v1/planted")


@router.post("/principal")
@public
async def sent(caller: Principal, note: str): ...
