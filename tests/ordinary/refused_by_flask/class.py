"""PUT /v1/planted/t | @requires"""

from flask import Blueprint
from flask.views import MethodView

router = Blueprint("planted", __name__, url_prefix="/v1/planted")


class Things(MethodView):
    def put(self): ...


router.add_url_rule("/t", view_func=Things.as_view("things"))
