"""both @public and @requires | answer"""

from fastapi import APIRouter

from app.auth.policy import public, requires

router = APIRouter()


def answer(): ...


router.get("/v1/planted/closed")(requires(role="admin")(answer))
router.get("/v1/planted/open")(public(answer))
