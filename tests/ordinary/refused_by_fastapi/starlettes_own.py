"""GET /own | own"""

from fastapi import APIRouter, Request, Response

router = APIRouter(prefix="/v1/planted")


async def own(request: Request):
    return Response()


router.add_route("/own", own)
