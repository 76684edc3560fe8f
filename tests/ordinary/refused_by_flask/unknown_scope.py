"""GET /v1/planted/r | typing_error | orders:raed | orders:read, orders:write"""

from flask import Blueprint

from app.auth.policy import requires

router = Blueprint("planted", __name__, url_prefix="/v1/planted")


@router.get("/r")
@requires("orders:raed")
def typing_error():
    return ""
