"""GET /v1/planted/. | @public"""

from flask import Blueprint

router = Blueprint("planted", __name__, url_prefix="/v1/planted")


inner = Blueprint("inner", __name__, static_folder=".")
router.register_blueprint(inner)
