"""POST /v1/planted/{b} | nested | @requires"""

from flask import Blueprint

from app.api.routing import Router

router = Blueprint("planted", __name__, url_prefix="/v1/planted")


inner = Router("inner")


@inner.post("/<int:b>")
def nested(b: int) -> None: ...


router.register_blueprint(inner)
