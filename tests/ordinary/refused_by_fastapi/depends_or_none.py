"""GET /v1/planted/dependency | found | `db` | Depends"""

from typing import Annotated

from fastapi import APIRouter, Depends

from app.api.deps import Db
from app.auth.policy import public

router = APIRouter(prefix="/v1/planted")


async def found_by(db: Db | None = None): ...


@router.get("/dependency")
@public
async def found(found: Annotated[None, Depends(found_by)]): ...
