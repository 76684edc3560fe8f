"""read_report | reports | ten a minute | like 300/minute"""

from fastapi import APIRouter

from app.auth.policy import public
from app.http.limited import limited

router = APIRouter(prefix="/v1/planted")


@router.get("/report")
@public
@limited("reports", "ten a minute")
async def read_report(): ...
