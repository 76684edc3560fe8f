"""GET /v1/planted/a | plain | @public"""

from flask import Blueprint

router = Blueprint("planted", __name__, url_prefix="/v1/planted")


@router.get("/a")
def plain():
    return ""
