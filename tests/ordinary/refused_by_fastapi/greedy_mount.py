"""/v1/planted/{p:path} | without variables"""

from fastapi import APIRouter
from starlette.responses import Response
from starlette.routing import Mount, Route

from app.auth.policy import public


@public
async def answer(request):
    return Response("secret")


router = APIRouter()
router.routes.append(Mount("/v1/planted/{p:path}", routes=[Route("/open/secret", answer), Route("/secret", answer)]))
