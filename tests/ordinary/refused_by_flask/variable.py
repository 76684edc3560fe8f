"""takes | does not take b"""

from flask import Blueprint

from app.api.routing import Router
from app.auth.policy import public

router = Blueprint("planted", __name__, url_prefix="/v1/planted")


inner = Router("inner")


@inner.get("/<a>/<b>")
@public
def takes(a: str) -> None: ...


router.register_blueprint(inner)
