"""POST /v1/planted/c/{b} | nested | @requires"""

from fastapi import APIRouter

router = APIRouter(prefix="/v1/planted")


inner = APIRouter()


@inner.post("/{b}")
def nested(b: int): ...


router.include_router(inner, prefix="/c")
