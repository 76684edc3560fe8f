"""PUT /v1/planted/a | open_one"""

from fastapi import APIRouter

from app.auth.policy import public

router = APIRouter(prefix="/v1/planted")


@router.get("/a")
@public
def fine(): ...
@router.put("/a")
def open_one(): ...
